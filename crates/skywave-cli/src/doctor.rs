//! `skywave doctor`: is this computer ready to serve with these options?
//!
//! Tries what serving would do, and says of each thing that it is well or what to do about it.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use skywave::{Engine, EngineConfig, Scheduling};
use tokio::net::TcpListener;

use crate::args::{Args, Serve};
use crate::channels::{ChannelArg, named};
use crate::serve::for_all;
use crate::{http, source, system_limits};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    /// All is well.
    Well(String),
    /// It works, but not for as many or as well as it could.
    Advice(String),
    /// It does not work.
    Fault(String),
}

/// Prints what it finds. Fails if serving would.
pub(crate) async fn examine(args: &Args) -> ExitCode {
    let serve = &args.serve;
    let mut findings = sources(args.sources()).await;
    findings.extend([http_port(serve).await, descriptors(serve)]);
    findings.extend(tls(serve));
    findings.extend(access(serve));
    let config = serve.engine_config();
    match Engine::bind(config.clone()) {
        Ok(engine) => {
            findings.extend(media(&engine, &config, serve));
            engine.close().await;
        }
        Err(error) => findings.push(Finding::Fault(format!(
            "audio: {error}; choose another address with --udp ADDR:PORT"
        ))),
    }
    for finding in &findings {
        println!("{}", line(finding));
    }
    if findings
        .iter()
        .any(|finding| matches!(finding, Finding::Fault(_)))
    {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn line(finding: &Finding) -> String {
    match finding {
        Finding::Well(text) => format!("ok      {text}"),
        Finding::Advice(text) => format!("advice  {text}"),
        Finding::Fault(text) => format!("FAULT   {text}"),
    }
}

/// Whether all can be opened; what is piped in is not touched.
async fn sources(channels: &[ChannelArg]) -> Vec<Finding> {
    let channels = match named(channels) {
        Ok(channels) => channels,
        Err(error) => return vec![Finding::Fault(error.to_string())],
    };
    let mut findings = Vec::new();
    for (name, source) in channels {
        if source.is_standard_input() {
            continue;
        }
        findings.push(match source::open(source.clone()).await {
            Ok(_) => Finding::Well(format!("channel {name}: {source} can be opened")),
            Err(error) => Finding::Fault(format!("channel {name}: {error}")),
        });
    }
    findings
}

async fn http_port(serve: &Serve) -> Finding {
    let address = serve.http;
    match TcpListener::bind(address).await {
        Ok(_) if address.ip().is_loopback() => Finding::Advice(format!(
            "HTTP {address} is free, and for this computer only: --http {} is for all",
            for_all(address)
        )),
        Ok(_) => Finding::Well(format!("HTTP {address} is free")),
        Err(error) => Finding::Fault(format!(
            "HTTP {address}: {error}; choose another with --http, or end what has it (`ss -ltnp`)"
        )),
    }
}

fn descriptors(serve: &Serve) -> Finding {
    let wanted = serve.http_limits.connections as u64 + system_limits::OTHER_DESCRIPTORS;
    match system_limits::raise_descriptors() {
        Some(limit) if limit < wanted => Finding::Fault(format!(
            "{limit} files may be open, {wanted} are needed: raise `ulimit -n` (systemd: \
             LimitNOFILE), or lower --http-connections"
        )),
        Some(limit) => Finding::Well(format!("{limit} files may be open")),
        None => Finding::Well("any number of files may be open".to_owned()),
    }
}

fn tls(serve: &Serve) -> Option<Finding> {
    let finding = match (&serve.tls_cert, &serve.tls_key) {
        (Some(cert), Some(key)) => match http::load(cert, key) {
            Ok(_) => Finding::Well(format!("TLS: {} can be used", cert.display())),
            Err(error) => Finding::Fault(format!("TLS: {error}")),
        },
        (None, None) if serve.http.ip().is_loopback() => return None,
        (None, None) => Finding::Advice(
            "no TLS: use --tls-cert and --tls-key, or a TLS proxy in front; pages served by HTTPS \
             cannot listen without"
                .to_owned(),
        ),
        _ => Finding::Fault("TLS: --tls-cert and --tls-key go together".to_owned()),
    };
    Some(finding)
}

fn access(serve: &Serve) -> Option<Finding> {
    let open = serve.viewer_token.is_none() && !serve.http.ip().is_loopback();
    open.then(|| {
        let text = "anybody who reaches HTTP may listen; --viewer-token lets in only who has it";
        Finding::Advice(text.to_owned())
    })
}

fn media(engine: &Engine, config: &EngineConfig, serve: &Serve) -> Vec<Finding> {
    let mut findings = vec![addresses(&engine.candidates(), serve)];
    for shard in engine.stats().shards {
        let granted = shard.receive_buffer.min(shard.send_buffer);
        findings.push(buffers(granted, config.socket_buffer));
        findings.push(match shard.scheduling {
            Scheduling::Realtime => {
                Finding::Well("the sending thread goes before all others (SCHED_FIFO)".to_owned())
            }
            _ if !config.realtime => {
                Finding::Well("the sending thread runs as any other, as asked".to_owned())
            }
            _ => Finding::Advice(
                "the sending thread waits for others: allow it SCHED_FIFO (systemd: \
                 AmbientCapabilities=CAP_SYS_NICE; else: setcap cap_sys_nice+ep, or root)"
                    .to_owned(),
            ),
        });
    }
    findings
}

/// Whether listeners elsewhere can reach what they are told.
fn addresses(candidates: &[SocketAddr], serve: &Serve) -> Finding {
    let list: Vec<_> = candidates.iter().map(SocketAddr::to_string).collect();
    let list = list.join(", ");
    let port = "keep the port open in the firewall, for UDP";
    if !serve.public_ip.is_empty() {
        return Finding::Well(format!(
            "listeners send to {list}; {port}, forwarded to here"
        ));
    }
    if serve.udp.port() == 0 {
        return Finding::Advice(format!(
            "listeners send to a port that is another each time: choose one with --udp \
             0.0.0.0:PORT, and {port}"
        ));
    }
    if candidates.iter().any(|candidate| is_public(candidate.ip())) {
        return Finding::Well(format!("listeners send to {list}; {port}"));
    }
    Finding::Advice(format!(
        "listeners send to {list}, which none outside this network reaches: --public-ip names \
         the address by which they do"
    ))
}

fn buffers(granted: usize, asked: usize) -> Finding {
    if granted >= asked {
        return Finding::Well(format!("UDP buffers of {granted} bytes"));
    }
    Finding::Advice(format!(
        "UDP buffers of {granted} bytes hold 20 ms of {} listeners; for more: \
         sysctl -w net.core.rmem_max={asked} net.core.wmem_max={asked}",
        granted / system_limits::BYTES_PER_LISTENER
    ))
}

/// Whether an address is of the internet at large, as far as that matters here.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        IpAddr::V6(ip) => ip.segments()[0] & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn args(line: &str) -> Args {
        Args::parse_from(["skywave"].into_iter().chain(line.split_whitespace()))
    }

    #[tokio::test]
    async fn taken_port_is_a_fault_that_says_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let args = args(&format!("doctor --http {address}"));
        let Finding::Fault(text) = http_port(&args.serve).await else {
            panic!("the port is taken");
        };
        assert!(text.contains("--http"), "{text}");
    }

    #[test]
    fn private_addresses_need_a_public_one() {
        let told = |line: &str, candidate: &str| {
            addresses(&[candidate.parse().unwrap()], &args(line).serve)
        };
        for private in [
            "192.168.1.2:5000",
            "10.0.0.1:5000",
            "100.64.0.1:5000",
            "[fd00::1]:5000",
        ] {
            let finding = told("doctor --udp 0.0.0.0:5000", private);
            assert!(matches!(finding, Finding::Advice(_)), "{private}");
        }
        for line in [
            ("doctor --udp 0.0.0.0:5000", "203.0.113.7:5000"),
            ("doctor --udp [::]:5000", "[2001:db8::7]:5000"),
            (
                "doctor --udp 0.0.0.0:5000 --public-ip 203.0.113.7",
                "10.0.0.1:5000",
            ),
        ] {
            assert!(matches!(told(line.0, line.1), Finding::Well(_)), "{line:?}");
        }
        let finding = told("doctor", "203.0.113.7:40000");
        assert!(matches!(finding, Finding::Advice(_)), "a port by chance");
    }

    #[test]
    fn small_buffers_are_told_in_listeners() {
        assert_eq!(
            buffers(10, 10),
            Finding::Well("UDP buffers of 10 bytes".to_owned())
        );
        let Finding::Advice(text) = buffers(212_992, 4 << 20) else {
            panic!("too small");
        };
        assert!(
            text.contains("277 listeners") && text.contains("rmem_max=4194304"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn buffers_are_those_that_the_system_granted() {
        let args = args("doctor --udp 127.0.0.1:0 --no-realtime");
        let mut config = args.serve.engine_config();
        let engine = Engine::bind(config.clone()).unwrap();
        let shard = &engine.stats().shards[0];
        let granted = shard.receive_buffer.min(shard.send_buffer);
        let told = |config: &EngineConfig| media(&engine, config, &args.serve).remove(1);
        config.socket_buffer = granted;
        assert!(matches!(told(&config), Finding::Well(_)));
        config.socket_buffer = granted + 1;
        assert!(matches!(told(&config), Finding::Advice(text) if text.contains("rmem_max")));
        engine.close().await;
    }

    #[test]
    fn half_of_tls_is_a_fault() {
        for line in [
            "doctor --tls-cert x",
            "doctor --tls-key x",
            "doctor --tls-cert x --tls-key y",
        ] {
            let finding = tls(&args(line).serve);
            assert!(matches!(finding, Some(Finding::Fault(_))), "{line}");
        }
        assert_eq!(tls(&args("doctor").serve), None);
    }
}
