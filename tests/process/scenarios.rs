//! `scripts/scenarios` tells PASS from FAIL.

use super::server::{Ended, bare};
use super::setup::Setup;
use std::process::Command;
use std::time::Duration;

/// Ten servers are started one after the other.
const LIMIT: Duration = Duration::from_secs(300);

/// The script with this binary, and nothing of the outer environment.
fn script(arguments: &[&str]) -> Command {
    let clean = bare();
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/scenarios"));
    for (name, _) in clean.get_envs() {
        command.env_remove(name);
    }
    command.env("ORDERMILL_BINARY", clean.get_program()).args(arguments);
    command
}

fn passed(ended: &Ended, scenarios: &[&str]) {
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let verdicts: Vec<&str> = ended.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(verdicts.len(), scenarios.len(), "{}", ended.stdout);
    for (verdict, scenario) in verdicts.iter().zip(scenarios) {
        assert!(verdict.starts_with(&format!("PASS {scenario} ")), "{}", ended.stdout);
    }
}

#[test]
fn they_pass_on_embedded_parts() {
    let all = ["happy-path", "insufficient-stock", "payment-failure", "fifty-on-ten"];
    passed(&Ended::of(&mut script(&all)), &all);
}

#[test]
#[ignore = "needs ./scripts/stack"]
fn they_pass_on_servers() {
    let all =
        ["happy-path", "insufficient-stock", "payment-failure", "service-down", "fifty-on-ten"];
    let setup = Setup::servers();
    let servers = setup.on_servers();
    let mut script = script(&[]);
    script.env("DATABASE_URL", &servers.database_url).env("AMQP_URL", &servers.amqp_url);
    passed(&Ended::within(LIMIT, &mut script), &all);
}

#[test]
fn a_server_that_runs_already_is_asked() {
    let server = Setup::embedded().start();
    let ended = Ended::of(&mut script(&["--url", &server.url]));
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("PASS ").count(), 4, "{}", ended.stdout);
    assert!(ended.stdout.contains("SKIP service-down"), "{}", ended.stdout);
}

#[test]
fn a_false_expectation_fails() {
    let nobody = Ended::of(&mut script(&["--url", "http://127.0.0.1:1", "happy-path"]));
    assert_eq!(nobody.code, Some(1), "{}", nobody.stdout);
    assert!(nobody.stdout.contains("FAIL happy-path"), "{}", nobody.stdout);
    // A gateway that declines everything: the path is not a happy one.
    let server = Setup::embedded().with("PAYMENT_FAILURE_RATE", "1").start();
    let unhappy = Ended::of(&mut script(&["--url", &server.url, "happy-path"]));
    assert_eq!(unhappy.code, Some(1), "{}", unhappy.stdout);
    assert!(unhappy.stdout.contains("expected CONFIRMED, found CANCELLED"), "{}", unhappy.stdout);
    let unknown = Ended::of(&mut script(&["sad-path"]));
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
}
