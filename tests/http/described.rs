//! Answers are what the served document says of them, and it takes for a request what is taken.

use super::dead_letters::store_dead_letter;
use super::support::{Shop, ShopResponse, order, with};
use ordermill_domain::messages::Queue;
use serde_json::{Value, json};

/// The document that the shop serves.
struct Document(Value);

/// What the document says of a value and is checked; more words would have to be understood first.
const UNDERSTOOD: [&str; 11] = [
    "$ref",
    "allOf",
    "anyOf",
    "enum",
    "format",
    "items",
    "nullable",
    "oneOf",
    "properties",
    "required",
    "type",
];

/// What it says without asking anything of an answer, or of requests only.
const REMARKS: [&str; 14] = [
    "title",
    "description",
    "default",
    "example",
    "additionalProperties",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "pattern",
];

impl Document {
    async fn of(shop: &Shop) -> Self {
        Self(shop.get("/openapi.json").await.expect(200).json())
    }

    /// Asserts that an operation may answer so.
    #[track_caller]
    fn describes(&self, operation: &str, answer: &ShopResponse) -> Value {
        let (method, path) = operation.split_once(' ').unwrap();
        let media = answer.header("content-type").split(';').next().unwrap();
        let responses = &self.0["paths"][path][method]["responses"];
        let schema = &responses[answer.status.as_str()]["content"][media]["schema"];
        assert!(schema.is_object(), "{operation}: no {} as {media}", answer.status);
        let mut faults = Vec::new();
        self.check(schema, &answer.json(), "", &mut faults);
        assert!(faults.is_empty(), "{operation}: {faults:#?}\n{}", answer.text);
        answer.json()
    }

    /// Adds where a value is not as a schema of OpenAPI 3.0 wants it.
    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let words = schema.as_object().unwrap();
        if let Some(reference) = words.get("$ref") {
            // Whatever stands beside it is not read.
            let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
            return self.check(self.0.pointer(pointer).unwrap(), value, at, faults);
        }
        for word in words.keys() {
            let known = UNDERSTOOD.contains(&word.as_str()) || REMARKS.contains(&word.as_str());
            assert!(known, "{at}: `{word}` is not understood");
        }
        let alternatives = schema["anyOf"].as_array();
        if alternatives.is_some_and(|any| any.iter().all(|one| !self.is_as(one, value))) {
            faults.push(format!("{at} is none of {}", schema["anyOf"]));
        }
        let one = schema["oneOf"].as_array();
        if one.is_some_and(|any| any.iter().filter(|one| self.is_as(one, value)).count() != 1) {
            faults.push(format!("{at} is not exactly one of {}", schema["oneOf"]));
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at, faults);
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            faults.push(format!("{at} is none of {}", schema["enum"]));
        }
        if !(is_of(schema, value) || value.is_null() && schema["nullable"] == true) {
            faults.push(format!("{at} is no {} {}: {value}", schema["type"], schema["format"]));
        }
        for element in value.as_array().into_iter().flatten() {
            if schema["items"].is_object() {
                self.check(&schema["items"], element, &format!("{at}[]"), faults);
            }
        }
        if schema["type"] == "object" && value.is_object() {
            self.check_members(schema, value, at, faults);
        }
    }

    fn is_as(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults.is_empty()
    }

    /// No member is missing, and none is there that is not described.
    fn check_members(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            match (schema["properties"].get(name), schema.get("additionalProperties")) {
                (None, None | Some(Value::Bool(false))) => {
                    faults.push(format!("{at} is not described"));
                }
                (Some(schema), _) | (None, Some(schema)) => self.check(schema, member, &at, faults),
            }
        }
    }

    /// The members of a request that may be null.
    fn nullable(&self, schema: &str) -> Vec<&str> {
        let properties = self.0["components"]["schemas"][schema]["properties"].as_object();
        let members = properties.unwrap().iter();
        let nullable = members.filter(|(_, schema)| {
            // Bounds of requests are not understood, and bind no null.
            schema["nullable"] == true
                || !schema["anyOf"].is_null() && self.is_as(schema, &Value::Null)
        });
        nullable.map(|(name, _)| name.as_str()).collect()
    }
}

fn is_of(schema: &Value, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    match (schema["type"].as_str(), schema["format"].as_str().unwrap_or_default()) {
        (None, _) => true,
        (Some("object"), _) => value.is_object(),
        (Some("array"), _) => value.is_array(),
        (Some("boolean"), _) => value.is_boolean(),
        (Some("number"), _) => value.is_number(),
        (Some("integer"), format) if format.starts_with('u') => value.is_u64(),
        (Some("integer"), _) => value.is_i64(),
        // One form for all times: UTC, to the microsecond.
        (Some("string"), "date-time") => {
            let parsed = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.6fZ");
            parsed.is_ok() && text.len() == "2026-03-01T09:30:00.125000Z".len()
        }
        (Some("string"), "uuid") => uuid::Uuid::try_parse(text).is_ok(),
        (Some("string"), _) => value.is_string(),
        (Some(other), _) => panic!("`{other}` is no type of JSON"),
    }
}

/// A shop, with what it says of itself.
struct Described {
    shop: Shop,
    document: Document,
}

impl Described {
    async fn open() -> Self {
        let shop = Shop::open().await;
        shop.stock("chair", 50).await;
        let document = Document::of(&shop).await;
        Self { shop, document }
    }

    /// What a path of the document's stands for, at a path of its kind.
    async fn get(&self, as_path: &str, path: &str) -> Value {
        let answer = self.shop.get(path).await.expect(200);
        self.document.describes(&format!("get {as_path}"), &answer)
    }

    /// A problem of such a path.
    async fn problem(&self, status: u16, as_path: &str, path: &str) -> Value {
        let answer = self.shop.get(path).await.expect(status);
        self.document.describes(&format!("get {as_path}"), &answer)
    }

    async fn post(&self, status: u16, as_path: &str, path: &str, body: &Value) -> Value {
        let answer = self.shop.post(path, body).await.expect(status);
        self.document.describes(&format!("post {as_path}"), &answer)
    }

    /// An order that has come to a status, with what the services have of it.
    async fn order_that_is(&self, status: &str, placed: &Value) -> Value {
        let id = placed["order_id"].as_str().unwrap();
        self.shop.until(id, status).await;
        self.get("/payments/{order_id}", &format!("/payments/{id}")).await;
        self.get("/shipments/{order_id}", &format!("/shipments/{id}")).await;
        self.get("/orders/{order_id}", &format!("/orders/{id}")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_as_the_document_describes_them() {
    let described = Described::open().await;
    let placed = described.post(201, "/orders", "/orders", &order("chair", 1)).await;
    let confirmed = described.order_that_is("CONFIRMED", &placed).await;
    assert!(confirmed["failure"].is_null());
    let cancel = format!("/orders/{}/cancel", placed["order_id"].as_str().unwrap());
    described.post(202, "/orders/{order_id}/cancel", &cancel, &Value::Null).await;
    let cancelled = described.order_that_is("CANCELLED", &placed).await;
    assert_eq!(
        cancelled["failure"],
        json!({ "step": "customer", "reason": "cancelled_by_customer" })
    );
    described.post(202, "/orders/{order_id}/cancel", &cancel, &Value::Null).await;
    let short = json!({ "user_id": 7, "product_id": "none", "quantity": 2, "total_amount": 9.5 });
    let short = described.post(201, "/orders", "/orders", &short).await;
    let id = short["order_id"].as_str().unwrap();
    described.shop.until(id, "CANCELLED").await;
    let short = described.get("/orders/{order_id}", &format!("/orders/{id}")).await;
    assert_eq!(short["failure"]["shortages"][0]["available"], Value::Null, "{short}");
    let declined = with(order("chair", 1), "/payment_method", json!("test_declined"));
    let declined = described.post(201, "/orders", "/orders", &declined).await;
    let id = declined["order_id"].as_str().unwrap();
    described.shop.until(id, "CANCELLED").await;
    described.get("/payments/{order_id}", &format!("/payments/{id}")).await;
    for query in ["", "?limit=2"] {
        described.get("/orders", &format!("/orders{query}")).await;
        described.get("/admin/sagas", &format!("/admin/sagas{query}")).await;
        described.get("/notifications", &format!("/notifications{query}")).await;
        described.get("/inventory", &format!("/inventory{query}")).await;
    }
    for query in ["", "&limit=2"] {
        described.get("/audit", &format!("/audit?order_id={id}{query}")).await;
    }
    described.get("/inventory/{product_id}", "/inventory/chair").await;
    described.get("/inventory/{product_id}/movements", "/inventory/chair/movements").await;
    let arrived = json!({ "product_id": "chair", "delta": 1, "reason": "found" });
    let some =
        json!({ "adjustments": [arrived, { "product_id": "x", "delta": 1, "reason": "x" }] });
    let import = "/inventory/adjustments";
    described.post(207, import, import, &some).await;
    described.post(200, import, import, &json!({ "adjustments": [some["adjustments"][0]] })).await;
    let adjust = "/inventory/{product_id}/adjustments";
    let one = json!({ "delta": -1, "reason": "lost" });
    described.post(200, adjust, "/inventory/chair/adjustments", &one).await;
    described.post(404, adjust, "/inventory/x/adjustments", &one).await;
    described.shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_are_as_their_schemas_describe_them() {
    let shop = Shop::open().await;
    let document = Document::of(&shop).await;
    let mut seen = 0;
    for (path, operations) in document.0["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap();
            let holders = answers.iter().map(|(status, answer)| (status.as_str(), answer));
            for (name, holder) in holders.chain([("request", &operation["requestBody"])]) {
                for (media, content) in holder["content"].as_object().into_iter().flatten() {
                    let forms = content["examples"].as_object().into_iter().flatten();
                    let forms = forms.map(|(_, form)| &form["value"]);
                    let alone = content.get("example").into_iter();
                    let examples: Vec<&Value> = alone.chain(forms).collect();
                    let at = format!("{method} {path}: {name} as {media}");
                    if content["schema"]["format"] == "binary" {
                        continue; // Bytes have no example that JSON could show.
                    }
                    assert!(!examples.is_empty(), "{at} has no example: see examples.json");
                    for example in examples.into_iter().filter(|_| media.contains("json")) {
                        let mut faults = Vec::new();
                        document.check(&content["schema"], example, &at, &mut faults);
                        assert!(faults.is_empty(), "{faults:#?}");
                        seen += 1;
                    }
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_are_as_the_document_describes_them() {
    let described = Described::open().await;
    let nobody = "0190d6e8-0000-7000-8000-000000000000";
    let absent = described.problem(404, "/orders/{order_id}", &format!("/orders/{nobody}")).await;
    assert!(absent.get("errors").is_none(), "{absent}");
    described.problem(400, "/orders/{order_id}", "/orders/x").await;
    let faulty = described.post(422, "/orders", "/orders", &order("chair", 0)).await;
    assert_eq!(faulty["errors"].as_array().unwrap().len(), 1, "{faulty}");
    described.post(400, "/orders", "/orders", &json!([])).await;
    let nobody = described.shop.ask("/notifications/mark-all-read").await.expect(422);
    described.document.describes("post /notifications/mark-all-read", &nobody);
    described.problem(404, "/admin/actors/{name}", "/admin/actors/x").await;
    described.shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_views_are_as_the_document_describes_them() {
    let described = Described::open().await;
    for body in ["no JSON", "null", r#"{"order_id": 1}"#] {
        store_dead_letter(&described.shop, body.len() as u128, Queue::InventoryCommands, body)
            .await;
    }
    let letters = described.get("/admin/dead-letters", "/admin/dead-letters").await;
    assert_eq!(letters["dead_letters"].as_array().unwrap().len(), 3);
    described.get("/admin/dead-letters", "/admin/dead-letters?limit=1").await;
    described.get("/admin/queues", "/admin/queues").await;
    described.get("/admin/payments", "/admin/payments").await;
    let notifications = "/admin/notifications?order=none";
    described.get("/admin/notifications", notifications).await;
    described.get("/admin/reconciliation", "/admin/reconciliation").await;
    let records = "/admin/reconciliation/orders";
    described.get("/admin/reconciliation/{records}", records).await;
    let tree = described.get("/admin/actors", "/admin/actors").await;
    described.get("/admin/actors", "/admin/actors?limit=1").await;
    let mut names = Vec::new();
    let mut actors = tree["actors"].as_array().unwrap().clone();
    while let Some(actor) = actors.pop() {
        names.push(actor["name"].as_str().unwrap().to_owned());
        actors.extend(actor["children"].as_array().unwrap().iter().cloned());
    }
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let path = format!("/admin/actors/{}", name.replace('/', "%2F"));
        described.get("/admin/actors/{name}", &path).await;
    }
    described.get("/health", "/health").await;
    described.get("/ready", "/ready").await;
    described.shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn optional_request_fields_may_be_null() {
    let described = Described::open().await;
    let Described { shop, document } = &described;
    let plain = with(order("chair", 1), "/address", json!({ "city": "Rome" }));
    let names = document.nullable("OrderOfItems");
    assert!(names.contains(&"payment_method") && names.contains(&"address"), "{names:?}");
    for name in names {
        shop.place(&with(plain.clone(), &format!("/{name}"), Value::Null)).await;
    }
    for name in document.nullable("NewAddress") {
        shop.place(&with(plain.clone(), &format!("/address/{name}"), Value::Null)).await;
    }
    let short = json!({ "user_id": 7, "product_id": "chair", "quantity": 2, "total_amount": 9.5 });
    for name in document.nullable("OrderOfOneProduct") {
        shop.place(&with(short.clone(), &format!("/{name}"), Value::Null)).await;
    }
    for name in document.nullable("MarkAll") {
        let ann = name == "all";
        let whose = if ann { json!({ "customer_id": "ann" }) } else { json!({ "all": true }) };
        let body = with(whose, &format!("/{name}"), Value::Null);
        shop.post("/notifications/mark-all-read", &body).await.expect(200);
    }
    described.shop.close().await;
}
