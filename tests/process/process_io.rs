//! At the edges of a process: readers that leave, few descriptors, and what it says that it does.

use super::place::Place;
use super::server::{Server, bare};
use super::setup::Setup;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The same command, run by a shell after something.
fn after(first: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("{first}; exec \"$0\" \"$@\"");
    shell.arg("-c").arg(script).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[test]
fn a_description_that_is_not_read_to_its_end_is_no_crash() {
    let mut command = bare();
    command.arg("openapi").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_lives_on_when_nobody_reads_what_it_says() {
    let setup = Setup::embedded().with_port();
    let mut command = setup.command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let ready = format!("http://{}/ready", setup.listen());
    let mut served = false;
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        served = reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success());
        if served || child.try_wait().unwrap().is_some() {
            break;
        }
    }
    // Its banner comes after it is ready.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ended = child.try_wait().unwrap();
    let _ = child.kill();
    let _ = child.wait();
    assert!(served && ended.is_none(), "served {served}, ended {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_takes_as_many_descriptors_as_it_may_have() {
    let setup = Setup::embedded();
    let command = after("ulimit -Sn 150", &setup.command());
    let mut server = Server::launch(command, setup.listen(), Arc::new(Place::embedded()));
    server.serves();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let fields: Vec<_> = line.split_whitespace().collect();
    assert_eq!(fields[3], fields[4], "soft and hard: {line}");
    server.terminate().await;
}
