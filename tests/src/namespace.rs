//! A network namespace that a cable leads to, which can be pulled.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A network namespace (`ip-netns(8)`) with one pair of Ethernet devices, of which one is in it;
/// it is deleted when dropped. It needs root.
pub struct Namespace {
    name: String,
    number: u32,
}

impl Namespace {
    /// Makes one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() % 50 * 5 + COUNT.fetch_add(1, Ordering::Relaxed) % 5;
        let name = format!("skywave{number}");
        ip(&format!("netns add {name}"));
        let namespace = Self { name, number };
        let (Self { name, .. }, outside) = (&namespace, namespace.device());
        ip(&format!(
            "link add {outside} type veth peer name inside netns {name}"
        ));
        ip(&format!(
            "address add {}/30 dev {outside}",
            namespace.host_address()
        ));
        ip(&format!("link set {outside} up"));
        ip(&format!(
            "-n {name} address add {}/30 dev inside",
            namespace.address(2)
        ));
        ip(&format!("-n {name} link set inside up"));
        ip(&format!("-n {name} link set lo up"));
        namespace
    }

    /// The address of this host as the namespace sees it.
    pub fn host_address(&self) -> String {
        self.address(1)
    }

    /// Takes the host's end of the cable out, or puts it back.
    pub fn plug(&self, is_in: bool) {
        let state = if is_in { "up" } else { "down" };
        ip(&format!("link set {} {state}", self.device()));
    }

    /// A program to be run in there.
    pub(crate) fn command(&self, program: &impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    fn device(&self) -> String {
        format!("skywave{}", self.number)
    }

    /// Of the addresses for benchmarks (RFC 2544), used by nobody else.
    fn address(&self, host: u32) -> String {
        format!("198.18.{}.{host}", self.number)
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.name])
            .status();
    }
}

/// # Panics
/// If it cannot be done, as without root: a test that was not made has not passed.
fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    let output = output.unwrap_or_else(|error| panic!("ip(8), of iproute2: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "these tests need root: ip {arguments}: {text}"
    );
}
