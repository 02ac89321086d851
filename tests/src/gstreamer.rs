//! GStreamer's webrtcbin as the side that answers: `peers/gstreamer_answerer.py` in a child process.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::Child;
use crate::recording::Recording;

/// A webrtcbin that receives PCMU.
pub struct GstreamerPeer {
    /// Ended before the folder is removed.
    child: Child,
    folder: TempDir,
}

impl GstreamerPeer {
    /// Takes an offer, starts to connect, and returns the SDP answer too.
    pub fn answering(offer: &str) -> (GstreamerPeer, String) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/gstreamer_answerer.py");
        // The system's Python: the bindings are made for it.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).arg(folder.path().join(FILE));
        let mut child = Child::spawn("gstreamer", &mut command);
        child.write_line(&json!({ "sdp": offer }).to_string());
        let answer = child.find_in_stdout(PATIENCE, |line| {
            let reply: Value = serde_json::from_str(line).ok()?;
            reply["sdp"].as_str().map(str::to_owned)
        });
        (GstreamerPeer { child, folder }, answer)
    }

    /// What it decoded so far.
    pub fn recording(&self) -> Recording {
        // Not there before the first packet is.
        let octets = std::fs::read(self.folder.path().join(FILE)).unwrap_or_default();
        Recording::of_octets(&octets, 8_000, Value::Null)
    }

    /// Ends it in an orderly way; dropping kills it.
    pub fn close(mut self) {
        self.child.feed(Vec::new());
        assert!(self.child.wait(PATIENCE).success(), "gstreamer failed");
    }
}

const FILE: &str = "recording";
const PATIENCE: Duration = Duration::from_secs(30);
