//! No command is silent for long while it waits: servers that refuse, and servers that accept and never answer.

use super::server::{bare, bare_lab};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The longest silence: two seconds, and one for a busy machine.
const SILENCE_MAX: Duration = Duration::from_secs(3);
/// A command that goes on for longer than this has shown how it waits, and is ended.
const WATCHED: Duration = Duration::from_secs(8);

/// What a command has said on its standard error, the longest silence, and how it ended by itself.
struct Watched {
    said: String,
    silence: Duration,
    took: Duration,
    status: Option<ExitStatus>,
}

fn watch(command: &mut Command, limit: Duration) -> Watched {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (line, lines) = mpsc::channel();
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || {
        for text in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = line.send((Instant::now(), text));
        }
    });
    let (mut said, mut silence, mut last) = (String::new(), Duration::ZERO, begun);
    while let Ok((at, text)) =
        lines.recv_timeout(limit.saturating_sub(begun.elapsed()).max(Duration::from_millis(1)))
    {
        silence = silence.max(at - last);
        last = at;
        said = format!("{said}{text}\n");
        if begun.elapsed() > limit {
            break;
        }
    }
    // What has closed its output is ending; what has not is ended here.
    let ends = begun.elapsed() < limit;
    let status = if ends { Some(child.wait().unwrap()) } else { child.try_wait().unwrap() };
    let _ = child.kill();
    let _ = child.wait();
    Watched { said, silence: silence.max(last.elapsed()), took: begun.elapsed(), status }
}

/// A place where connections are accepted, by the kernel, and nobody ever answers.
fn black_hole() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    (listener, place)
}

fn on_servers(arguments: &[&str], place: &str) -> Command {
    let (mut command, arguments) = match arguments {
        ["lab", arguments @ ..] => (bare_lab(), arguments),
        arguments => (bare(), arguments),
    };
    command
        .args(arguments)
        .env("DATABASE_URL", format!("postgres://shop:hunter2@{place}/shop"))
        .env("AMQP_URL", format!("amqp://shop:hunter2@{place}/shop"));
    command
}

#[test]
fn a_demo_on_servers_that_are_gone_says_so_and_gives_up_in_time() {
    let (_listener, hole) = black_hole();
    for (place, word) in [("127.0.0.1:1", "refused"), (&hole, "the order database")] {
        let mut command = on_servers(&["demo"], place);
        let ended = watch(command.env("ORDERMILL_STARTUP_TIMEOUT", "4s"), Duration::from_secs(30));
        let Watched { said, silence, took, status } = ended;
        assert_eq!(status.and_then(|status| status.code()), Some(1), "{said}");
        assert!(took < Duration::from_secs(12), "it took {took:?}: {said}");
        assert!(silence <= SILENCE_MAX, "silent for {silence:?}: {said}");
        assert!(said.contains("waiting for the order database"), "{said}");
        let last = said.lines().last().unwrap();
        assert!(last.contains("the order database did not respond within 4s"), "{said}");
        assert!(last.contains(word) && last.contains("(ORDERMILL_STARTUP_TIMEOUT)"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn no_command_is_silent_while_nobody_answers() {
    let (_listener, hole) = black_hole();
    let url = format!("http://{hole}");
    let commands = [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["demo"],
        &["lab", "bench"],
        &["lab", "bench", "hot-sku"],
        &["demo", "--url", &url],
        &["lab", "bench", "--url", &url],
        &["actors", "--url", &url],
        &["dlq", "--url", &url, "list"],
    ];
    std::thread::scope(|scope| {
        for arguments in commands {
            let hole = &hole;
            scope.spawn(move || {
                let watched = watch(&mut on_servers(arguments, hole), WATCHED);
                let Watched { said, silence, .. } = watched;
                assert!(silence <= SILENCE_MAX, "{arguments:?} is silent for {silence:?}: {said}");
                assert!(said.contains("waiting for"), "{arguments:?}: {said}");
            });
        }
    });
}
