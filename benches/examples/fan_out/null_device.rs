//! A network namespace whose only way out drops everything: an `ifb` device that nothing was
//! redirected to. It ends with the program that runs in it.

use std::net::Ipv4Addr;
use std::process::Command;

use crate::args::Args;

/// The address of the device.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(10, 60, 0, 1);
/// The network behind the gateway.
pub(crate) const LISTENERS: Ipv4Addr = Ipv4Addr::new(10, 50, 0, 0);

/// Runs this program once more in a namespace of its own, for that part alone.
pub(crate) fn measure_inside(args: &Args) {
    if !rustix::process::geteuid().is_root() {
        println!("\nnull-device: not measured, as only root may make network namespaces");
        return;
    }
    let program = std::env::current_exe().expect("the program knows its path");
    let mut unshare = Command::new("unshare");
    unshare.arg("--net").arg(program).arg("inside-namespace");
    match unshare.args(args.options()).status() {
        Ok(status) if status.success() => {}
        Ok(status) => println!("\nnull-device: not measured ({status})"),
        Err(error) => println!("\nnull-device: not measured, no unshare: {error}"),
    }
}

/// Sets the device, the gateway and the way there up. Says what failed.
pub(crate) fn set_up() -> Result<(), String> {
    ip("link set lo up")?;
    ip("link add fan0 type ifb")?;
    ip("address add 10.60.0.1/24 dev fan0")?;
    ip("link set fan0 up")?;
    ip("neighbour add 10.60.0.2 lladdr 02:00:00:00:00:02 dev fan0 nud permanent")?;
    ip("route add 10.50.0.0/16 via 10.60.0.2 dev fan0")
}

/// Makes the listeners' addresses those of this host, so that loopback goes before the gateway, or
/// takes them away again. Sockets that have such an address keep it.
pub(crate) fn reach_listeners(reach: bool) {
    let verb = if reach { "replace" } else { "del" };
    let done = ip(&format!(
        "route {verb} local 10.50.0.0/16 dev lo table local"
    ));
    done.expect("what was set up can be changed");
}

fn ip(arguments: &str) -> Result<(), String> {
    let words = arguments.split(' ');
    let output = Command::new("ip").args(words).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {arguments}: {}", said.trim()))
}
