//! Figures beside the bars that they are held to.

use std::fmt::Display;

/// One table, written line by line as its figures come.
pub(crate) struct Table;

/// What a figure is held to.
#[derive(Clone, Copy)]
pub(crate) enum Bar {
    None,
    AtMost(f64),
    AtLeast(f64),
}

impl Table {
    /// Begins a table.
    pub(crate) fn new(title: impl Display) -> Table {
        println!("\n{title}\n");
        println!(
            "| {:<54} | {:>9} | {:<12} | {:>7} |        |",
            "", "", "", "bar"
        );
        println!(
            "|{}|{}|{}|{}|--------|",
            line(56),
            line(11),
            line(14),
            line(9)
        );
        Table
    }

    /// Writes a figure.
    pub(crate) fn row(&self, what: impl Display, value: f64, unit: &str, bar: Bar) {
        let digits = match value.abs() {
            100.0.. => 0,
            10.0..100.0 => 1,
            _ => 2,
        };
        let (bar, verdict) = match bar {
            Bar::None => (String::new(), ""),
            Bar::AtMost(most) => (format!("<= {most}"), verdict(value <= most)),
            Bar::AtLeast(least) => (format!(">= {least}"), verdict(value >= least)),
        };
        println!(
            "| {:<54} | {value:>9.digits$} | {unit:<12} | {bar:>7} | {verdict:<6} |",
            what.to_string()
        );
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}

fn line(len: usize) -> String {
    "-".repeat(len)
}

/// The one in the middle, and the least.
pub(crate) fn median_and_least(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    (values[values.len() / 2], values[0])
}
