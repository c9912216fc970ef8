//! What a dashboard is made of: rows of panels, and what a panel shows.

use super::query::Query;

/// A dashboard.
pub(super) struct Dashboard {
    /// Its identity in Grafana, and the name of its file.
    pub(super) uid: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    /// What can be chosen at its top, beside the data source.
    pub(super) variables: Vec<Variable>,
    pub(super) rows: Vec<Row>,
}

/// A choice at the top of a dashboard.
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    /// `label_values(metric, label)`.
    pub(super) values_of: &'static str,
}

/// A row, shown open.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) panels: Vec<Panel>,
}

/// What a value counts.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Count,
    PerSecond,
    Seconds,
    /// Seconds that may be less than none.
    SignedSeconds,
    Bytes,
    /// 0 to 1, shown in percent.
    Ratio,
    /// The same, and may be less than none.
    SignedRatio,
    /// 0 or 1, shown as words.
    UpDown,
}

/// How a panel shows its values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines over time.
    Lines,
    /// Areas on top of each other: parts of a whole.
    Stacked,
    /// Bars over time.
    Bars,
    /// The last value, large.
    Number,
}

/// From which value on a panel is orange or red.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    None,
    /// Good below: orange from the first on, red from the second.
    Below(f64, f64),
    /// Good above: red below the first, orange below the second.
    Above(f64, f64),
}

/// A query and the name of its lines.
pub(super) struct Target {
    pub(super) query: Query,
    /// With labels in double braces.
    pub(super) legend: &'static str,
}

/// A panel.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    pub(super) limit: Limit,
    /// Colors of values by name.
    pub(super) colors: &'static [(&'static str, &'static str)],
    pub(super) targets: Vec<Target>,
}

impl Panel {
    fn new(kind: Kind, title: &'static str, unit: Unit, description: &'static str) -> Self {
        let (limit, colors, targets) = (Limit::None, &[][..], Vec::new());
        Self { title, description, kind, unit, limit, colors, targets }
    }

    /// Lines over time.
    pub(super) fn lines(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Kind::Lines, title, unit, description)
    }

    /// Parts of a whole over time.
    pub(super) fn stacked(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Kind::Stacked, title, unit, description)
    }

    /// Bars over time.
    pub(super) fn bars(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Kind::Bars, title, unit, description)
    }

    /// The last values, large.
    pub(super) fn number(title: &'static str, unit: Unit, description: &'static str) -> Self {
        Self::new(Kind::Number, title, unit, description)
    }

    /// Shows a query.
    pub(super) fn show(mut self, legend: &'static str, query: Query) -> Self {
        self.targets.push(Target { query, legend });
        self
    }

    /// Says which values are good.
    pub(super) fn good(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// Colors values by their names.
    pub(super) fn colored(mut self, colors: &'static [(&'static str, &'static str)]) -> Self {
        self.colors = colors;
        self
    }
}
