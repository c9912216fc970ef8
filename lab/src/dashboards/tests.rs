//! The committed dashboards are the generated ones, and say what they show.

use super::{all, command};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/grafana/dashboards");

#[test]
fn the_committed_dashboards_are_the_generated_ones() {
    command::check(Path::new(COMMITTED)).unwrap();
    let files = std::fs::read_dir(COMMITTED).unwrap().map(|file| file.unwrap().file_name());
    let generated = all().into_iter().map(|(name, _)| name.into());
    assert_eq!(files.collect::<BTreeSet<_>>(), generated.collect());
}

#[test]
fn a_changed_dashboard_differs() {
    let directory = tempfile::tempdir().unwrap();
    assert!(command::check(directory.path()).is_err());
    command::write(directory.path()).unwrap();
    command::check(directory.path()).unwrap();
    let (name, text) = &all()[0];
    std::fs::write(directory.path().join(name), text.replacen("Request rate", "Requests", 1))
        .unwrap();
    let drift = command::check(directory.path()).unwrap_err().to_string();
    assert!(drift.contains(name) && drift.contains("ordermill-lab dashboards"), "{drift}");
}

#[test]
fn every_panel_says_what_it_shows() {
    for (file, text) in all() {
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len(), "{file}: ids are unique");
        for panel in panels.iter().filter(|panel| panel["type"] != "row") {
            let (title, described) = (&panel["title"], panel["description"].as_str().unwrap());
            assert!(described.ends_with('.'), "{file}: {title}: {described}");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{file}: {title}");
        }
    }
}

#[test]
fn the_overview_begins_with_the_seven_panels_of_seed_002() {
    let (_, text) = &all()[0];
    let dashboard: Value = serde_json::from_str(text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let titles: Vec<_> =
        panels[1..8].iter().map(|panel| panel["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "Request rate",
            "Request latency",
            "Error rate",
            "Sagas at rest, last 15 minutes",
            "Saga duration",
            "Request rate by route",
            "Dead letters",
        ]
    );
}
