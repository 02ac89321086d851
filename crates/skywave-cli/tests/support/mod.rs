//! The built program as a child process, and an HTTP client for it.

#![allow(dead_code, reason = "each test program uses a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

/// Far longer than anything here takes; only a hanging program meets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `skywave`, killed when dropped.
pub(crate) struct Program {
    child: Child,
    /// What it printed up to the end of its greeting.
    pub(crate) greeting: String,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    agent: Agent,
    /// Lines of standard output; disconnected when the program has ended.
    output: Receiver<String>,
}

impl Program {
    /// Starts it on any free ports and waits for its greeting.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, |_| {})
    }

    /// The same with more that is said to the system.
    pub(crate) fn start_with(arguments: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skywave"));
        command
            .args(["--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let output = lines(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.ends_with("Ctrl-C hangs up.\n") {
            let line = output.recv_timeout(PATIENCE).expect("no greeting");
            greeting += &line;
            greeting.push('\n');
        }
        let at = greeting.find("http://127.0.0.1:").expect("no address");
        let url = greeting[at..].split("/\n").next().unwrap().to_owned();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        Self {
            child,
            greeting,
            url,
            agent,
            output,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Response<Body> {
        self.agent.get(self.url(path)).call().unwrap()
    }

    /// The same from a server called `host`.
    pub(crate) fn get_as(&self, host: &str, path: &str) -> Response<Body> {
        let request = self.agent.get(self.url(path)).header("host", host);
        request.call().unwrap()
    }

    pub(crate) fn delete(&self, path: &str) -> Response<Body> {
        self.agent.delete(self.url(path)).call().unwrap()
    }

    pub(crate) fn post_offer(&self, offer: &str) -> Response<Body> {
        let request = self.agent.post(self.url("/whep"));
        request.content_type("application/sdp").send(offer).unwrap()
    }

    /// A request with these headers, and a body if the method has one.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.agent
            .run(request.body(body.to_owned()).unwrap())
            .unwrap()
    }

    /// `PUT /api/source` with this body.
    pub(crate) fn put_source(&self, body: &str) -> Response<Body> {
        self.put_source_as("127.0.0.1", body)
    }

    /// The same to a server called `host`.
    pub(crate) fn put_source_as(&self, host: &str, body: &str) -> Response<Body> {
        let request = self.agent.put(self.url("/api/source")).header("host", host);
        request.content_type("application/json").send(body).unwrap()
    }

    pub(crate) fn stats(&self) -> Value {
        json(&mut self.get("/api/stats"))
    }

    /// A connection whose request never ends.
    pub(crate) fn half_request(&self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.url["http://".len()..]).unwrap();
        stream
            .write_all(b"GET /icon.svg HTTP/1.1\r\nHost:")
            .unwrap();
        stream
    }

    /// The media port on 127.0.0.1, as the greeting names it.
    pub(crate) fn media_port(&self) -> SocketAddr {
        let words = self.greeting.split_whitespace();
        let mut addresses = words.filter_map(|word| word.parse().ok());
        addresses
            .find(|address: &SocketAddr| address.ip() == Ipv4Addr::LOCALHOST)
            .expect("the greeting names the loopback address")
    }

    /// Writes to its standard input.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Ends its standard input.
    pub(crate) fn end_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Sends a signal (`INT`, `TERM`).
    pub(crate) fn kill(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Sends a signal and waits for the exit status.
    pub(crate) fn signal(self, name: &str) -> Option<i32> {
        self.kill(name);
        self.ended()
    }

    /// Waits for the exit status.
    pub(crate) fn ended(mut self) -> Option<i32> {
        while let Ok(line) = self.output.recv_timeout(PATIENCE) {
            println!("{line}");
        }
        // Only a program that still runs has its output open.
        assert_eq!(self.output.try_recv(), Err(TryRecvError::Disconnected));
        self.child.wait().unwrap().code()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it with these arguments to its end, which comes by itself.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_skywave"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn json(response: &mut Response<Body>) -> Value {
    response.body_mut().read_json().unwrap()
}

/// The sentence of a problem document.
pub(crate) fn detail(mut response: Response<Body>) -> String {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let status = response.status().as_u16();
    let problem = json(&mut response);
    assert_eq!(problem["status"], status);
    problem["detail"].as_str().unwrap().to_owned()
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
