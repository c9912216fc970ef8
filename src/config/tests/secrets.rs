//! Secrets from files.

use super::*;
use std::path::Path;

/// Stands in every secret of these tests.
const MARKER: &str = "hunter2";

/// A directory with files of these contents, named by their places.
fn files(contents: &[&[u8]]) -> (tempfile::TempDir, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let write = |(number, content): (usize, &&[u8])| {
        let path = directory.path().join(number.to_string());
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let paths = contents.iter().enumerate().map(write).collect();
    (directory, paths)
}

/// Variable and flag of every secret.
fn secrets() -> Vec<(String, String)> {
    let command = Settings::command();
    let secrets = command.get_arguments().filter(|setting| secret_files::holds_secret(setting));
    let named = |setting: &clap::Arg| {
        let variable = setting.get_env().unwrap().to_str().unwrap().to_owned();
        (variable, format!("--{}", setting.get_long().unwrap()))
    };
    secrets.map(named).collect()
}

#[test]
fn every_secret_has_a_file_that_is_read() {
    let secrets = secrets();
    assert!(secrets.len() >= 12, "{secrets:?}");
    for (variable, flag) in secrets {
        let message = refusal(&[&format!("{flag}-file=/nowhere/secret")]);
        for words in
            [&*format!("{variable}_FILE ({flag}-file): the file `/nowhere/secret`"), "No such file"]
        {
            assert!(message.contains(words), "{flag}: {message}");
        }
    }
}

#[test]
fn a_value_is_the_same_from_its_file() {
    let (_directory, paths) = files(&[b"postgres://h/d\n", b"amqp://h", b"SB-Mid-server-x\r\n"]);
    let config = read(&[
        &format!("--database-url-file={}", paths[0]),
        &format!("--amqp-url-file={}", paths[1]),
        &format!("--midtrans-server-key-file={}", paths[2]),
        "--gateways=midtrans:IDR; simulated:*",
    ])
    .unwrap();
    let of_flags = read(&[
        "--database-url=postgres://h/d",
        "--amqp-url=amqp://h",
        "--midtrans-server-key=SB-Mid-server-x",
    ])
    .unwrap();
    assert_eq!(config.infrastructure, of_flags.infrastructure);
    assert_eq!(config.gateways.midtrans, of_flags.gateways.midtrans);
    assert!(config.notices.is_empty(), "{:?}", config.notices);
}

#[test]
fn one_newline_at_the_end_is_cut() {
    for (content, value) in [
        (&b"secret\n"[..], "secret"),
        (b"secret", "secret"),
        (b"secret\r\n", "secret"),
        (b" secret\n\n", " secret\n"),
    ] {
        let (_directory, paths) = files(&[content]);
        assert_eq!(secret_files::read(Path::new(&paths[0])).unwrap().expose(), value);
    }
}

#[test]
fn a_secret_and_its_file_are_not_both_set() {
    let (_directory, paths) = files(&[b"amqp://u:hunter2@h"]);
    let message =
        refusal(&["--amqp-url=amqp://u:hunter2@h", &format!("--amqp-url-file={}", paths[0])]);
    let named = "AMQP_URL_FILE (--amqp-url-file): AMQP_URL (--amqp-url) is set as well";
    assert!(message.contains(named) && !message.contains(MARKER), "{message}");
    assert!(
        read(&["--amqp-url=amqp://h", "--amqp-url-file=", SERVERS[0]]).is_ok(),
        "empty is not set"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_refused_without_its_content() {
    let long = [&b"hunter2 "[..], &[b'x'; 65 * 1024]].concat();
    let (directory, paths) = files(&[b"", b" \n", b"hunter2 \xff", &long, b"hunter2"]);
    let directory = directory.path().to_str().unwrap().to_owned();
    for (path, fault) in [
        (&paths[0], "is empty"),
        (&paths[1], "is empty"),
        (&paths[2], "valid UTF-8"),
        (&paths[3], "is longer than 64 KiB"),
        (&directory, "is a directory"),
    ] {
        let message = refusal(&[&format!("--amqp-url-file={path}"), SERVERS[0]]);
        let lower = message.to_lowercase();
        assert!(
            message.contains(path.as_str()) && lower.contains(&fault.to_lowercase()),
            "{message}"
        );
        assert!(message.starts_with("AMQP_URL_FILE (--amqp-url-file)"), "{message}");
        assert!(!message.contains(MARKER), "{message}");
    }
    let message = refusal(&[&format!("--amqp-url-file={}", paths[4]), SERVERS[0]]);
    assert!(message.starts_with("AMQP_URL (--amqp-url)") && !message.contains(MARKER), "{message}");
}

#[test]
fn a_secret_in_place_of_a_path_is_not_shown() {
    for value in ["amqp://u:hunter2@h/v", "hunter2", "u:hunter2@h"] {
        let message = refusal(&[&format!("--amqp-url-file={value}"), SERVERS[0]]);
        assert!(message.contains("AMQP_URL_FILE") && !message.contains(MARKER), "{message}");
    }
}

#[test]
fn a_secret_on_the_command_line_is_warned_of() {
    let notices = |flag: &str| {
        let matches = Settings::command().get_matches_from(["ordermill", flag]);
        ServeArgs::given_in(&matches).exposed
    };
    for (variable, flag) in secrets() {
        let told = notices(&format!("{flag}=hunter2"));
        assert_eq!(told.len(), 1, "{flag}: {told:?}");
        assert!(
            told[0].starts_with(&flag) && told[0].contains(&format!("{variable}_FILE")),
            "{told:?}"
        );
        assert!(!told[0].contains(MARKER), "{told:?}");
        assert!(notices(&format!("{flag}-file=/somewhere")).is_empty());
    }
}

#[test]
fn files_are_read_again() {
    let (_directory, paths) = files(&[b"SB-Mid-server-1"]);
    let config = read(&[&format!("--midtrans-server-key-file={}", paths[0])]).unwrap();
    let keys = |config: &Config| config.gateways.midtrans.as_ref().unwrap().keys.get();
    std::fs::write(&paths[0], "SB-Mid-server-2").unwrap();
    let again = config.reread().unwrap();
    assert_ne!(keys(&config), keys(&again));
    std::fs::write(&paths[0], "").unwrap();
    assert!(config.reread().is_err());
}
