//! A built example that serves WHEP, as a child process.

use std::process::Command;
use std::time::Duration;

use crate::child::Child;
use crate::server::{http_url, program};

/// A running example on a free port of the loopback interface.
pub struct Example {
    child: Child,
    base_url: String,
}

impl Example {
    /// Starts the one that was built next to the test, and waits for its address.
    pub fn start(name: &'static str) -> Example {
        let mut command = Command::new(program(&format!("examples/{name}")));
        let mut child = Child::spawn(name, command.env("LISTEN", "127.0.0.1:0"));
        let base_url = child.find_in_stdout(PATIENCE, http_url);
        Example { child, base_url }
    }

    /// What it answers to an SDP offer.
    pub fn whep(&self, offer: &str) -> String {
        self.post("/whep", offer)
    }

    /// Posts and returns what it answers, which must be a success.
    pub fn post(&self, path: &str, body: &str) -> String {
        let request = ureq::post(format!("{}{path}", self.base_url));
        let mut response = request
            .content_type("application/sdp")
            .send(body)
            .unwrap_or_else(|error| panic!("POST {path}: {error}"));
        let text = response.body_mut().read_to_string();
        text.expect("the body is text")
    }

    /// Waits for a line of its output with `text` in it.
    pub fn find(&mut self, text: &str) -> String {
        let with_it = |line: &str| line.contains(text).then(|| line.to_owned());
        self.child.find_in_stdout(PATIENCE, with_it)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
