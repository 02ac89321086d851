//! The built `skywave` program as a child process, and its HTTP interface.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Agent;

use crate::child::Child;

/// A running `skywave serve` on a free port of the loopback interface.
pub struct Server {
    child: Child,
    base_url: String,
    media: SocketAddr,
    agent: Agent,
}

/// A listener's session, made by [`Server::whep`].
#[derive(Clone, Debug)]
pub struct Session {
    /// The SDP answer.
    pub answer: String,
    /// Path of the session's resource, from the `Location` field.
    pub location: String,
}

impl Server {
    /// Starts the program of `SKYWAVE_BIN`, else the one built next to the test, and waits
    /// for its address. Media goes over every interface: Firefox offers no loopback address.
    pub fn start(source: &str) -> Server {
        Server::start_with(source, &[])
    }

    /// The same with further options.
    pub fn start_with(source: &str, options: &[&str]) -> Server {
        let mut command = Command::new(program("skywave"));
        command.args(["serve", source]);
        command.args(["--http", "127.0.0.1:0"]).args(options);
        Server::spawn(command)
    }

    /// Starts it by a shell, whose script begins the program with `"$0" "$@"` in it; at any address
    /// of this host, of which [`Self::base_url`] is that of the loopback interface.
    pub fn start_by(script: &str, source: &str, options: &[&str]) -> Server {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(program("skywave"));
        command.args(["serve", source]);
        command.args(["--http", "0.0.0.0:0"]).args(options);
        Server::spawn(command)
    }

    fn spawn(mut command: Command) -> Server {
        let mut child = Child::spawn("skywave", &mut command);
        let base_url = child.find_in_stdout(START_TIMEOUT, http_url);
        let media = child.find_in_stdout(START_TIMEOUT, udp_address);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_TIMEOUT))
            .build()
            .into();
        Server {
            child,
            base_url,
            media,
            agent,
        }
    }

    /// Pipes raw audio into the program, whose source has to be `-`.
    pub fn feed(&mut self, audio: Vec<u8>) {
        self.child.feed(audio);
    }

    /// Address of the page, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The endpoint for listeners.
    pub fn endpoint(&self) -> String {
        self.url("/whep")
    }

    /// Its HTTP port.
    pub fn port(&self) -> u16 {
        let (_, port) = self.base_url.rsplit_once(':').expect("a port");
        port.parse().expect("a number")
    }

    /// The first address of its media port.
    pub fn media(&self) -> SocketAddr {
        self.media
    }

    /// Posts an SDP offer to `/whep`, which must be accepted.
    pub fn whep(&self, offer: &str) -> Session {
        let mut response = self
            .agent
            .post(self.url("/whep"))
            .content_type("application/sdp")
            .send(offer)
            .expect("POST /whep is answered");
        let answer = response
            .body_mut()
            .read_to_string()
            .expect("the body is text");
        assert_eq!(response.status(), 201, "POST /whep: {answer}");
        let location = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok())
            .expect("201 carries a Location")
            .to_owned();
        Session { answer, location }
    }

    /// Deletes a session's resource; returns the HTTP status.
    pub fn delete(&self, location: &str) -> u16 {
        let response = self.agent.delete(self.url(location)).call();
        response.expect("DELETE is answered").status().as_u16()
    }

    /// Asks for another source; returns the HTTP status and the JSON body.
    pub fn put_source(&self, source: &str) -> (u16, Value) {
        let mut response = self
            .agent
            .put(self.url("/api/source"))
            .send_json(json!({ "source": source }))
            .expect("PUT /api/source is answered");
        let body = response.body_mut().read_json().expect("the body is JSON");
        (response.status().as_u16(), body)
    }

    /// The JSON of `GET /api/stats`.
    pub fn stats(&self) -> Value {
        let mut response = self
            .agent
            .get(self.url("/api/stats"))
            .call()
            .expect("GET /api/stats is answered");
        assert_eq!(response.status(), 200);
        response.body_mut().read_json().expect("the body is JSON")
    }

    /// `GET /metrics`.
    pub fn metrics(&self) -> String {
        let response = self.agent.get(self.url("/metrics")).call();
        let mut response = response.expect("GET /metrics is answered");
        assert_eq!(response.status(), 200);
        let text = response.body_mut().read_to_string();
        text.expect("metrics are text")
    }

    /// `GET /api/listeners/{id}/stats` of the only listener.
    pub fn report(&self) -> Value {
        let stats = self.stats();
        let id = stats["listeners"][0]["id"].as_str().expect("a listener");
        let response = self
            .agent
            .get(self.url(&format!("/api/listeners/{id}/stats")));
        let mut response = response.call().expect("a report is answered");
        assert_eq!(response.status(), 200);
        response.body_mut().read_json().expect("the body is JSON")
    }

    /// Frames that it had no time to encode or to send to everybody.
    pub fn frames_left_out(&self) -> u64 {
        let stats = self.stats();
        [
            &stats["channels"][0]["track"]["framesSkipped"],
            &stats["channels"][0]["track"]["framesDropped"],
            &stats["engine"]["framesDropped"],
        ]
        .map(|count| count.as_u64().expect("a counter"))
        .iter()
        .sum()
    }

    /// Interrupts the program (SIGINT) and waits for its end: the exit code, none if a
    /// signal killed it, and how long it took.
    pub fn interrupt(mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        self.child.interrupt();
        let status = self.child.wait(EXIT_TIMEOUT);
        (status.code(), started.elapsed())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

/// A program of the workspace; that of `SKYWAVE_BIN` in place of `skywave` if it is set.
pub(crate) fn program(name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os("SKYWAVE_BIN").filter(|_| name == "skywave") {
        return path.into();
    }
    // target/<profile>/deps/<test>
    let test = std::env::current_exe().expect("the path of the running test is known");
    let profile = test.ancestors().nth(2).expect("a test lies in deps");
    let program = profile.join(name);
    assert!(
        program.exists(),
        "{} is missing: build the workspace first (SKYWAVE_BIN may name another skywave)",
        program.display()
    );
    program
}

/// The `http://127.0.0.1:PORT` within a line of output, or `https://` that.
pub(crate) fn http_url(line: &str) -> Option<String> {
    let loopback = |word: &&str| {
        let (scheme, rest) = word.split_once("://").unwrap_or_default();
        matches!(scheme, "http" | "https") && rest.starts_with("127.0.0.1:")
    };
    let url = line.split_whitespace().find(loopback)?;
    Some(url.trim_end_matches('/').to_owned())
}

/// The `UDP 192.0.2.1:5000` within a line of output.
fn udp_address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("UDP ")?;
    address.trim().parse().ok()
}

const START_TIMEOUT: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer than any test allows, so that the duration can be judged.
const EXIT_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_within_a_line() {
        let line = "  Listen at http://127.0.0.1:8080/ in a browser";
        assert_eq!(http_url(line).as_deref(), Some("http://127.0.0.1:8080"));
        let media = udp_address("  audio    UDP 127.0.0.1:5000");
        assert_eq!(media, "127.0.0.1:5000".parse().ok());
        let secure = http_url("https://127.0.0.1:8443/");
        assert_eq!(secure.as_deref(), Some("https://127.0.0.1:8443"));
        assert_eq!(http_url("Serving tone:440"), None);
    }
}
