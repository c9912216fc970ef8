//! What the process does when its services are at their end.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_process_fails_when_its_supervisor_does() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let app = App::start(Config::for_testing(directory.path())).await.expect("it starts");
    let url = app.url();
    let root = app.root.clone();
    let ended = tokio::spawn(app.run_until(std::future::pending()));
    assert!(reqwest::get(format!("{url}/health")).await.is_ok(), "it serves");
    root.kill();
    let ended = tokio::time::timeout(Duration::from_secs(5), ended).await.expect("at once");
    let error = ended.expect("no panic").expect_err("that is no end in good order");
    assert!(error.to_string().contains("exceeded its restart limit"), "{error:#}");
}
