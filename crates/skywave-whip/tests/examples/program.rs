//! An example that runs.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::peer::{Listener, PATIENCE};

/// The program, which ends with the value.
pub(crate) struct Program {
    process: Child,
    /// What it writes.
    lines: Receiver<String>,
    /// Where it listens, without a slash at the end.
    address: String,
}

impl Program {
    /// Starts it and waits until it listens. `roots` is a file of the certificates that the system
    /// shall trust.
    pub(crate) fn start(name: &str, arguments: &[&str], roots: Option<&Path>) -> Self {
        // Beside the folder of the tests.
        let this = std::env::current_exe().unwrap();
        let path = this.ancestors().nth(2).unwrap().join("examples").join(name);
        assert!(
            path.exists(),
            "cargo build --examples makes {}",
            path.display()
        );
        let mut command = Command::new(path);
        command.args(arguments).env("LISTEN", "127.0.0.1:0");
        command.envs(roots.map(|roots| ("SSL_CERT_FILE", roots)));
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                println!("{line}");
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut program = Self {
            process,
            lines,
            address: String::new(),
        };
        let line = program.find("http://127.0.0.1");
        let (_, address) = line.split_once("pen ").unwrap();
        program.address = address.trim_end_matches('/').to_owned();
        program
    }

    /// Waits for a line with `text` in it.
    pub(crate) fn find(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("it does not write: {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Writes to its standard input, as fast as it reads.
    pub(crate) fn feed(&mut self, octets: Vec<u8>) {
        let mut input = self.process.stdin.take().unwrap();
        // It fails when the program ends.
        thread::spawn(move || input.write_all(&octets));
    }

    /// What it answers.
    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        let request = ureq::post(format!("{}{path}", self.address));
        let request = request.header("content-type", "application/sdp");
        let mut response = request.send(body).unwrap();
        response.body_mut().read_to_string().unwrap()
    }

    /// A listener of it.
    pub(crate) async fn listen(&self) -> Listener {
        let listener = Listener::new().await;
        let offer = listener.offer().await;
        listener.accept_answer(self.post("/whep", &offer)).await;
        listener
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
