//! What is known of the broker and the database when `scripts/stack` runs them: their processes, and
//! whether the broker's management plugin is on.

use super::args::Watch;
use reqwest::Url;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Where the management plugin listens when nobody says otherwise.
const MANAGEMENT_PORT: u16 = 15_672;
/// A plugin on this port answers at once, or is not there.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Where the stack's settings are, when `ORDERMILL_STACK_DIR` does not say.
const DIRECTORY: &str = ".stack";

/// The stack's settings, if it is the stack whose broker is meant.
fn settings(amqp_url: &str) -> Option<BTreeMap<String, String>> {
    let directory = std::env::var_os("ORDERMILL_STACK_DIR").map(PathBuf::from);
    let file = directory.unwrap_or_else(|| DIRECTORY.into()).join("env");
    let text = fs::read_to_string(file).ok()?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let settings: BTreeMap<String, String> =
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    is_same_server(settings.get("AMQP_URL")?, amqp_url).then_some(settings)
}

/// Whether two addresses are of one server, whatever is asked of it.
fn is_same_server(one: &str, other: &str) -> bool {
    let server = |url: &str| {
        let url = Url::parse(url).ok()?;
        Some((url.host_str()?.to_owned(), url.port()))
    };
    server(one).is_some() && server(one) == server(other)
}

/// The processes of the stack's servers.
pub fn processes(amqp_url: &str) -> Vec<Watch> {
    let Some(settings) = settings(amqp_url) else { return Vec::new() };
    let files = [("postgres", "POSTGRES_PID_FILE"), ("rabbitmq", "RABBITMQ_PID_FILE")];
    let watch = |(name, key): (&str, &str)| {
        let text = fs::read_to_string(settings.get(key)?).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        Some(Watch { name: name.to_owned(), pid })
    };
    files.into_iter().filter_map(watch).collect()
}

/// Whether the broker's management plugin is on: it takes a share of what the broker can do. None: nobody
/// knows.
pub async fn has_management(amqp_url: &str) -> Option<bool> {
    if let Some(settings) = settings(amqp_url) {
        return Some(settings.contains_key("MANAGEMENT_URL"));
    }
    let host = Url::parse(amqp_url).ok()?.host_str()?.to_owned();
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().ok()?;
    let asked = http.get(format!("http://{host}:{MANAGEMENT_PORT}/api/overview")).send().await;
    // It may listen elsewhere: no answer says nothing.
    asked.is_ok().then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_the_same_by_host_and_port() {
        assert!(is_same_server("amqp://a:b@h:1/%2f", "amqp://c@h:1/x"));
        assert!(!is_same_server("amqp://h:1", "amqp://h:2"));
        assert!(!is_same_server("", ""));
    }
}
