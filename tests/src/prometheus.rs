//! The reader of metrics of Prometheus' client for Python.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::aiortc::python;

/// What it reads in `text`: a list of metrics with `name`, `type`, `help` and `samples`, each of
/// these a list of its name, its labels and its value.
pub fn read_metrics(text: &str) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/read_metrics.py");
    let mut child = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python can be started");
    let mut stdin = child.stdin.take().expect("stdin was piped");
    stdin.write_all(text.as_bytes()).expect("Python reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the child is ours");
    assert!(output.status.success(), "Python cannot read {text}");
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}
