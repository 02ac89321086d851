//! Metrics as text, in the exposition format 0.0.4 of Prometheus.

use std::fmt::{Display, Write as _};

/// Metrics, one written after another. Names and labels are the caller's and must be valid;
/// texts and values of labels may be anything.
#[derive(Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    /// By which HTTP announces it.
    pub(crate) const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// A value that never goes down but when the process begins anew.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.describe(name, help, "counter");
        self.sample(name, "", None, value);
    }

    /// A value that goes up and down.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.describe(name, help, "gauge");
        self.sample(name, "", None, value);
    }

    /// A counter of each value of a label.
    pub(crate) fn counters<'a, V: Display>(
        &mut self,
        (name, label): (&str, &str),
        help: &str,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) {
        self.describe(name, help, "counter");
        for (of, value) in values {
            self.sample(name, "", Some((label, of)), value);
        }
    }

    /// A gauge of each value of a label.
    pub(crate) fn gauges<'a, V: Display>(
        &mut self,
        (name, label): (&str, &str),
        help: &str,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) {
        self.describe(name, help, "gauge");
        for (of, value) in values {
            self.sample(name, "", Some((label, of)), value);
        }
    }

    /// How many values were no greater than each bound, and all together.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        buckets: impl IntoIterator<Item = (f64, u64)>,
        (sum, count): (f64, u64),
    ) {
        self.describe(name, help, "histogram");
        for (bound, below) in buckets {
            self.sample(name, "_bucket", Some(("le", &bound.to_string())), below);
        }
        self.sample(name, "_bucket", Some(("le", "+Inf")), count);
        self.sample(name, "_sum", None, sum);
        self.sample(name, "_count", None, count);
    }

    /// All of it.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn describe(&mut self, name: &str, help: &str, kind: &str) {
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        // Writing into a String cannot fail, here and below.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(
        &mut self,
        name: &str,
        suffix: &str,
        label: Option<(&str, &str)>,
        value: impl Display,
    ) {
        let _ = match label {
            None => writeln!(self.text, "{name}{suffix} {value}"),
            Some((label, of)) => {
                let of = escaped(of);
                writeln!(self.text, "{name}{suffix}{{{label}=\"{of}\"}} {value}")
            }
        };
    }
}

/// The value of a label between its quotation marks.
fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', r#"\""#)
        .replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_written_as_the_format_has_them() {
        let mut metrics = Exposition::default();
        metrics.counter("a_total", "Things.\nBack\\slash.", 7);
        metrics.gauge("b_ratio", "Share.", 0.25);
        metrics.counters(
            ("c_total", "why"),
            "Reasons.",
            [("x\"y\\z\n", 1), ("plain", 2)],
        );
        metrics.histogram("d_seconds", "Times.", [(0.000_032, 1), (1.0, 3)], (4.5, 5));
        let expected = r#"# HELP a_total Things.\nBack\\slash.
# TYPE a_total counter
a_total 7
# HELP b_ratio Share.
# TYPE b_ratio gauge
b_ratio 0.25
# HELP c_total Reasons.
# TYPE c_total counter
c_total{why="x\"y\\z\n"} 1
c_total{why="plain"} 2
# HELP d_seconds Times.
# TYPE d_seconds histogram
d_seconds_bucket{le="0.000032"} 1
d_seconds_bucket{le="1"} 3
d_seconds_bucket{le="+Inf"} 5
d_seconds_sum 4.5
d_seconds_count 5
"#;
        assert_eq!(metrics.into_text(), expected);
    }
}
