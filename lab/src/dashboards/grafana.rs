//! The JSON that Grafana reads: its classic schema (`schemaVersion` 39, Grafana 10.4 and later).

use super::layout::{Dashboard, Kind, Limit, Panel, Row, Target, Unit, Variable};
use serde_json::{Value, json};

/// Grafana's grid is so many columns wide.
const GRID_COLUMNS: usize = 24;
/// Panels next to each other.
const PANELS_PER_LINE: usize = 3;
/// Lines of the grid that a panel takes.
const PANEL_HEIGHT: usize = 8;
/// The version of the schema that is written.
const SCHEMA_VERSION: u32 = 39;
/// The data source is chosen at the top of the dashboard.
const DATA_SOURCE: &str = "${datasource}";

impl Dashboard {
    /// The text of the dashboard's file.
    pub(super) fn to_json(&self) -> String {
        let dashboard = json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["ordermill"],
            "timezone": "browser",
            "editable": true,
            "graphTooltip": 1,
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "refresh": "10s",
            "time": { "from": "now-30m", "to": "now" },
            "links": [{
                "type": "dashboards", "title": "Ordermill", "tags": ["ordermill"], "asDropdown": false,
                "includeVars": false, "keepTime": true, "targetBlank": false, "icon": "external link",
                "tooltip": "", "url": "",
            }],
            "annotations": { "list": [] },
            "templating": { "list": variables(&self.variables) },
            "panels": panels(&self.rows),
        });
        let mut text = serde_json::to_string_pretty(&dashboard).expect("a JSON value is written");
        text.push('\n');
        text
    }
}

fn variables(chosen: &[Variable]) -> Vec<Value> {
    let source = json!({
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
        "refresh": 1, "regex": "", "hide": 0, "multi": false, "includeAll": false, "options": [], "current": {},
    });
    let chosen = chosen.iter().map(|Variable { name, label, values_of }| {
        json!({
            "name": name, "label": label, "type": "query", "datasource": data_source(),
            "query": { "query": values_of, "refId": name }, "definition": values_of,
            "refresh": 2, "sort": 1, "regex": "", "hide": 0, "multi": false, "includeAll": false,
            "options": [], "current": {},
        })
    });
    std::iter::once(source).chain(chosen).collect()
}

/// Rows one below the other, the panels of an open row behind it in the list.
fn panels(rows: &[Row]) -> Vec<Value> {
    let mut list = Vec::new();
    let mut line = 0;
    for row in rows {
        list.push(json!({
            "id": list.len() + 1, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": line, "w": GRID_COLUMNS, "h": 1 },
        }));
        line += 1;
        for panels in row.panels.chunks(PANELS_PER_LINE) {
            let width = GRID_COLUMNS / PANELS_PER_LINE;
            for (nth, shown) in panels.iter().enumerate() {
                let place = json!({ "x": nth * width, "y": line, "w": width, "h": PANEL_HEIGHT });
                list.push(panel(list.len() + 1, shown, &place));
            }
            line += PANEL_HEIGHT;
        }
    }
    list
}

fn panel(id: usize, panel: &Panel, place: &Value) -> Value {
    let colors = panel.colors.iter().map(|(name, color)| {
        json!({
            "matcher": { "id": "byName", "options": name },
            "properties": [{ "id": "color", "value": { "mode": "fixed", "fixedColor": color } }],
        })
    });
    json!({
        "id": id,
        "type": if panel.kind == Kind::Number { "stat" } else { "timeseries" },
        "title": panel.title,
        "description": panel.description,
        "datasource": data_source(),
        "gridPos": place,
        "targets": targets(&panel.targets, panel.kind),
        "fieldConfig": { "defaults": defaults(panel), "overrides": colors.collect::<Vec<_>>() },
        "options": options(panel.kind),
    })
}

fn targets(targets: &[Target], kind: Kind) -> Vec<Value> {
    let name = |nth: usize| char::from(b'A' + u8::try_from(nth).expect("a panel has few queries"));
    let targets = targets.iter().enumerate().map(|(nth, Target { query, legend })| {
        json!({
            "refId": name(nth).to_string(), "datasource": data_source(), "editorMode": "code",
            "expr": query.0, "legendFormat": legend,
            "instant": kind == Kind::Number, "range": kind != Kind::Number,
        })
    });
    targets.collect()
}

fn defaults(panel: &Panel) -> Value {
    let (unit, least, most) = match panel.unit {
        Unit::Count => ("short", Some(0), None),
        Unit::PerSecond => ("ops", Some(0), None),
        Unit::Seconds => ("s", Some(0), None),
        Unit::SignedSeconds => ("s", None, None),
        Unit::Bytes => ("bytes", Some(0), None),
        Unit::Ratio => ("percentunit", Some(0), None),
        Unit::SignedRatio => ("percentunit", None, None),
        Unit::UpDown => ("bool_on_off", Some(0), Some(1)),
    };
    let color = if panel.kind == Kind::Number { "thresholds" } else { "palette-classic" };
    let mut defaults = json!({
        "unit": unit,
        "color": { "mode": color },
        "thresholds": { "mode": "absolute", "steps": steps(panel.limit) },
        "custom": custom(panel),
    });
    for (bound, value) in [("min", least), ("max", most)] {
        if let Some(value) = value {
            defaults[bound] = json!(value);
        }
    }
    defaults
}

fn steps(limit: Limit) -> Value {
    match limit {
        Limit::None => json!([{ "color": "green", "value": null }]),
        Limit::Below(orange, red) => json!([
            { "color": "green", "value": null },
            { "color": "orange", "value": orange },
            { "color": "red", "value": red },
        ]),
        Limit::Above(red, orange) => json!([
            { "color": "red", "value": null },
            { "color": "orange", "value": red },
            { "color": "green", "value": orange },
        ]),
    }
}

fn custom(panel: &Panel) -> Value {
    let limits = if matches!(panel.limit, Limit::None) { "off" } else { "dashed" };
    match panel.kind {
        Kind::Number => json!({}),
        kind => json!({
            "drawStyle": if kind == Kind::Bars { "bars" } else { "line" },
            "lineWidth": 1,
            "fillOpacity": match kind { Kind::Bars => 80, Kind::Stacked => 30, _ => 0 },
            "showPoints": "never",
            "spanNulls": false,
            "stacking": { "mode": if kind == Kind::Lines { "none" } else { "normal" }, "group": "A" },
            "thresholdsStyle": { "mode": limits },
        }),
    }
}

fn options(kind: Kind) -> Value {
    match kind {
        Kind::Number => json!({
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
            "orientation": "auto", "textMode": "value_and_name",
        }),
        _ => json!({
            "legend": { "displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
    }
}

fn data_source() -> Value {
    json!({ "type": "prometheus", "uid": DATA_SOURCE })
}
