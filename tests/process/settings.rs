//! The command line and the environment: what is wrong is named, and nothing is started.

use super::server::{Ended, bare};
use super::setup::Setup;

/// `EX_USAGE` of sysexits.h.
const USAGE: Option<i32> = Some(64);

/// Every setting, and a value that it cannot have.
const SETTINGS: [(&str, &str); 32] = [
    ("ORDERMILL_LISTEN", "localhost"),
    ("ORDERMILL_SHUTDOWN_TIMEOUT", "soon"),
    ("ORDERMILL_DRAIN_DELAY", "1h"),
    ("ORDERMILL_MIGRATE", "maybe"),
    ("ORDERMILL_MIXED_FILES", "maybe"),
    ("ORDERMILL_IDLE_AFTER", "-1s"),
    ("ORDERMILL_CHECK_INTERVAL", "hourly"),
    ("ORDERMILL_LOG", "loud"),
    ("ORDERMILL_LOG_FORMAT", "xml"),
    ("ORDERMILL_PLAN", "ship-first"),
    ("ORDERMILL_FLOW", "whitewater"),
    ("ORDERMILL_DISPATCH_AFTER", "never"),
    ("ORDERMILL_ORDER_TIMEOUT", "15"),
    ("ORDERMILL_STEP_TIMEOUT", "0s"),
    ("ORDERMILL_COMPENSATION_TIMEOUT", "99999d"),
    ("ORDERMILL_SWEEP_INTERVAL", "1h"),
    ("PAYMENT_FAILURE_RATE", "1.5"),
    ("PAYMENT_LATENCY", "1 fortnight"),
    ("PAYMENT_TIMEOUT", "1ms"),
    ("SHIPPING_FAILURE_RATE", "NaN"),
    ("ORDERMILL_SHIPPING_BASE_COST", "5.001"),
    ("ORDERMILL_SMTP_URL", "http://mail"),
    ("ORDERMILL_SMS", "pigeon"),
    ("ORDERMILL_PAYMENT_METHODS", "card,tset declined"),
    ("ORDERMILL_GATEWAYS", "midtrans:USD"),
    ("ORDERMILL_PAYMENT_WINDOW", "-5m"),
    ("ORDERMILL_WEBHOOK_LISTEN", "8443"),
    ("MIDTRANS_ENVIRONMENT", "live"),
    ("MIDTRANS_API_URL", "http://api.midtrans.com"),
    ("MIDTRANS_SNAP_URL", "ftp://localhost"),
    ("MIDTRANS_MERCHANT_ID", "G 123"),
    ("MIDTRANS_ORDER_PREFIX", "a/b"),
];

#[test]
fn help_lists_every_setting() {
    let help = Ended::of(bare().arg("--help"));
    assert_eq!(help.code, Some(0));
    for variable in ["ORDERMILL_DATA_DIR", "ORDERMILL_MAIL_FROM"]
        .into_iter()
        .chain(SETTINGS.map(|(variable, _)| variable))
    {
        assert!(help.stdout.contains(variable), "{variable} is not in the help");
    }
}

#[test]
fn a_wrong_setting_is_named_and_nothing_starts() {
    for (variable, value) in SETTINGS {
        let setup = Setup::embedded().with(variable, value);
        let ended = setup.run(&[]);
        assert_eq!(ended.code, USAGE, "{variable}={value}: {}", ended.stderr);
        assert!(ended.stderr.contains(variable), "{variable}={value}: {}", ended.stderr);
        assert!(!setup.data().exists(), "{variable}={value} has touched the data directory");
    }
}

#[test]
fn all_wrong_settings_are_named_at_once() {
    let setup = SETTINGS
        .iter()
        .fold(Setup::embedded(), |setup, (variable, value)| setup.with(variable, value));
    let ended = setup.run(&["serve"]);
    assert_eq!(ended.code, USAGE);
    for (variable, _) in SETTINGS {
        assert!(ended.stderr.contains(variable), "{variable} is not in: {}", ended.stderr);
    }
}

#[test]
fn a_wrong_secret_is_not_shown() {
    let setup = Setup::embedded().with("ORDERMILL_SMTP_URL", "http://user:hunter2@mail");
    let ended = setup.run(&[]);
    assert_eq!(ended.code, USAGE);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let setup = Setup::embedded()
        .with("ORDERMILL_FLOW", "choreographed")
        .with("ORDERMILL_PLAN", "reserve-first");
    let server = |command: &[&str]| setup.run(command);
    let lab = |command: &[&str]| Ended::of(setup.lab().args(command));
    for (ended, command) in
        [(server(&[]), "serve"), (server(&["demo"]), "demo"), (lab(&["bench"]), "bench")]
    {
        assert_eq!(ended.code, USAGE, "{command:?}: {}", ended.stderr);
        for word in ["ORDERMILL_FLOW", "ORDERMILL_PLAN", "conflicts"] {
            assert!(ended.stderr.contains(word), "{command:?}: {}", ended.stderr);
        }
    }
    assert!(!setup.data().exists(), "it has touched the data directory");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_without_effect_and_misspelt_ones_are_told_once() {
    let server = Setup::embedded()
        .with("ORDERMILL_STARTUP_TIMEOUT", "1s")
        .with("ORDERMILL_MAIL_FROM", "shop@example.com")
        .with("ORDERMILL_LISTN", "127.0.0.1:1")
        .start();
    let log = server.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("without effect")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for word in ["ORDERMILL_STARTUP_TIMEOUT (", "ORDERMILL_MAIL_FROM ("] {
        assert!(lines[0].contains(word), "{log}");
    }
    assert_eq!(log.matches("did you mean ORDERMILL_LISTEN?").count(), 1, "{log}");
    server.terminate().await;
    let quiet = Setup::embedded().start();
    assert!(!quiet.log().contains("WARN"), "{}", quiet.log());
    quiet.terminate().await;
}

#[test]
fn an_unknown_command_or_flag_is_refused() {
    for arguments in [&["sell"][..], &["--port", "1"], &["demo", "--orders", "0"]] {
        let ended = Setup::embedded().run(arguments);
        assert!(!matches!(ended.code, Some(0) | None), "{arguments:?}");
        assert!(ended.stderr.contains("--help"), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn the_description_of_the_api_is_json() {
    let ended = Ended::of(bare().arg("openapi"));
    assert_eq!(ended.code, Some(0));
    let document: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(document["paths"]["/orders"]["post"].is_object());
}
