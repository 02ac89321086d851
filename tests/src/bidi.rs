//! A WebDriver BiDi connection: one command at a time over a WebSocket.
//!
//! Of the events only `log.entryAdded` is used; it is kept for diagnosis.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// An open BiDi session.
pub(crate) struct Bidi {
    socket: WebSocket<TcpStream>,
    last_id: u64,
    console: Vec<String>,
}

impl Bidi {
    /// Opens the WebSocket at `url` (`ws://HOST:PORT/PATH`).
    pub(crate) fn connect(url: &str) -> Bidi {
        let address = url
            .strip_prefix("ws://")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_else(|| panic!("{url} is no ws: address"));
        let stream = TcpStream::connect(address)
            .unwrap_or_else(|error| panic!("BiDi at {address}: {error}"));
        stream
            .set_read_timeout(Some(REPLY_TIMEOUT))
            .expect("the timeout is not zero");
        let (socket, _) = tungstenite::client(url, stream)
            .unwrap_or_else(|error| panic!("BiDi at {url}: {error}"));
        Bidi {
            socket,
            last_id: 0,
            console: Vec::new(),
        }
    }

    /// Sends a command and returns its result.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        let reply = self.exchange(method, params);
        if reply["type"] == "error" {
            panic!(
                "{method}: {}\nconsole: {:#?}",
                reply["message"], self.console
            );
        }
        reply["result"].clone()
    }

    /// The lines the page has written to its console, and its uncaught errors.
    pub(crate) fn console(&self) -> &[String] {
        &self.console
    }

    fn exchange(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let command = json!({"id": self.last_id, "method": method, "params": params});
        self.socket
            .send(Message::text(command.to_string()))
            .unwrap_or_else(|error| panic!("{method}: {error}"));
        loop {
            let message = self.read(method);
            if message["id"] == self.last_id {
                return message;
            }
            self.note(&message);
        }
    }

    fn read(&mut self, method: &str) -> Value {
        loop {
            let message = self.socket.read().unwrap_or_else(|error| {
                panic!("{method}: {error}\nconsole: {:#?}", self.console);
            });
            if let Message::Text(text) = message {
                return serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{method}: {error} in {text}"));
            }
        }
    }

    fn note(&mut self, message: &Value) {
        if message["method"] == "log.entryAdded" {
            let entry = &message["params"];
            let text = entry["text"].as_str().unwrap_or_default();
            self.console
                .push(format!("{}: {text}", entry["level"].as_str().unwrap_or("")));
        }
    }
}

/// Above every wait that a script evaluated in the page may do.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
