//! The committed OpenAPI document is the one that the binary serves.

/// Where it is committed, from the root of the repository.
const PATH: &str = "openapi/ordermill.json";

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    let served = ordermill::api::openapi_json();
    let drift = committed.lines().zip(served.lines()).position(|(old, new)| old != new);
    assert!(
        committed == served,
        "{PATH} is out of date, from line {} on; write it anew, and look at what has changed:\n\
         \x20   cargo run -- openapi > {PATH}",
        drift.map_or(committed.lines().count().min(served.lines().count()), |line| line) + 1,
    );
}

#[test]
fn every_operation_says_what_it_is_and_has_its_problems() {
    let document: serde_json::Value =
        serde_json::from_str(&ordermill::api::openapi_json()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{name}");
            assert!(operation["description"].is_string(), "{name} has no description");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let about = parameter["description"].as_str().unwrap_or_default();
                assert!(!about.is_empty(), "{name}: {} has no description", parameter["name"]);
            }
            assert!(operation["operationId"].is_string(), "{name}");
            // What is not there is left out: null is neither a body nor a list.
            assert!(operation.get("requestBody").is_none_or(|body| body.is_object()), "{name}");
            assert!(operation.get("parameters").is_none_or(|list| list.is_array()), "{name}");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let problem = &response["content"]["application/problem+json"];
                let is_failure = status.starts_with(['4', '5'])
                    && (path.as_str(), status.as_str()) != ("/ready", "503");
                assert_eq!(problem.is_object(), is_failure, "{name}: {status}");
            }
            if path.contains('{') {
                assert!(operation["responses"]["404"].is_object(), "{name}");
            }
        }
    }
}

#[test]
fn every_schema_and_member_says_what_it_is_and_times_have_one_form() {
    let document: serde_json::Value =
        serde_json::from_str(&ordermill::api::openapi_json()).unwrap();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let about = |schema: &serde_json::Value| schema["description"].is_string();
        // An enumeration of poem-openapi's is described where it is used.
        assert!(about(schema) || schema["enum"].is_array(), "{name} has no description");
        for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(about(schema), "{name}.{member} has no description");
            // `api::time::Time` is the one form; chrono's own would end in `+00:00`.
            assert_ne!(schema["format"], "date-time", "{name}.{member} is no `Time`");
        }
    }
}
