//! The aiortc peer: `peers/aiortc_peer.py` in a child process, spoken to by JSON lines.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::child::Child;
use crate::recording::Recording;

/// One aiortc peer connection that receives audio.
pub struct AiortcPeer {
    child: Child,
}

impl AiortcPeer {
    /// Starts a peer with the Python of `SKYWAVE_PYTHON`, else of `target/venv`.
    pub fn spawn() -> AiortcPeer {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/aiortc_peer.py");
        let child = Child::spawn("aiortc", Command::new(python()).arg("-u").arg(script));
        AiortcPeer { child }
    }

    /// An SDP offer to receive audio with these codecs ("opus", "PCMU", "PCMA"), best first.
    pub fn create_offer(&mut self, codecs: &[&str]) -> String {
        self.create_offer_with_direction(codecs, "recvonly")
    }

    /// An SDP offer whose audio section has the given `direction` attribute.
    pub fn create_offer_with_direction(&mut self, codecs: &[&str], direction: &str) -> String {
        let reply: Description = self.call(json!({
            "cmd": "create_offer", "codecs": codecs, "direction": direction,
        }));
        reply.sdp
    }

    /// Takes the answer to the peer's offer and starts to connect.
    pub fn accept_answer(&mut self, sdp: &str) {
        let _: Value = self.call(json!({"cmd": "accept_answer", "sdp": sdp}));
    }

    /// Takes an offer, starts to connect, and returns the SDP answer.
    pub fn accept_offer(&mut self, sdp: &str, codecs: &[&str]) -> String {
        let reply: Description =
            self.call(json!({"cmd": "accept_offer", "sdp": sdp, "codecs": codecs}));
        reply.sdp
    }

    /// What has been received so far.
    pub fn report(&mut self) -> Report {
        self.call(json!({"cmd": "report"}))
    }

    /// Waits until the report satisfies `enough`; fails with the last one after `timeout`.
    pub fn report_when(&mut self, timeout: Duration, enough: impl Fn(&Report) -> bool) -> Report {
        let deadline = Instant::now() + timeout;
        loop {
            let report = self.report();
            if enough(&report) {
                return report;
            }
            assert!(
                Instant::now() < deadline,
                "not within {timeout:?}: {report:#?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for `seconds` of audio decoded from now on and measures it.
    pub fn tone(&mut self, seconds: f64) -> Tone {
        self.call(json!({"cmd": "tone", "seconds": seconds}))
    }

    /// Records `seconds` of audio decoded from now on, for [`recorded`](Self::recorded).
    pub fn record(&mut self, seconds: f64) {
        let _: Value = self.call(json!({"cmd": "record", "seconds": seconds}));
    }

    /// Waits until all that was to be recorded is.
    pub fn recorded(&mut self) -> Recording {
        self.call(json!({"cmd": "recorded"}))
    }

    /// Closes the peer connection (DTLS close_notify) and ends the process.
    pub fn close(mut self) {
        let _: Value = self.call(json!({"cmd": "close"}));
        self.child.wait(REPLY_TIMEOUT);
    }

    fn call<T: DeserializeOwned>(&mut self, command: Value) -> T {
        self.child.write_line(&command.to_string());
        let line = self.child.read_line(REPLY_TIMEOUT);
        let reply: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("aiortc said {line:?}: {error}"));
        if let Some(error) = reply.get("error") {
            panic!("aiortc refused {}: {error}", command["cmd"]);
        }
        serde_json::from_value(reply).unwrap_or_else(|error| panic!("aiortc said {line}: {error}"))
    }
}

/// What a peer has received since it was made.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// W3C `RTCPeerConnection.connectionState`.
    pub connection_state: String,
    /// W3C `RTCPeerConnection.iceConnectionState`.
    pub ice_connection_state: String,
    /// W3C `RTCDtlsTransport.state`.
    pub dtls_state: String,
    /// Whether the sender's DTLS close_notify was read.
    pub close_notify: bool,
    /// Audio frames that came out of the decoder.
    pub decoded_frames: u64,
    /// The RTP packets.
    pub rtp: RtpReport,
    /// The RTCP packets.
    pub rtcp: RtcpReport,
}

/// The RTP packets of a [`Report`], in the order of arrival after decryption.
#[derive(Clone, Debug, Deserialize)]
pub struct RtpReport {
    /// Packets with a well-formed header.
    pub packets: u64,
    /// Octets of payload, without header and padding.
    pub payload_octets: u64,
    /// Packets whose header could not be read.
    pub malformed: u64,
    /// Synchronisation sources, in the order they appeared.
    pub ssrcs: Vec<u32>,
    /// Payload types, in the order they appeared.
    pub payload_types: Vec<u8>,
    /// Values of the `mid` header extension.
    pub mids: Vec<String>,
    /// Distinct values of the audio level header extension, in dBov (0 to -127).
    pub audio_levels: Vec<i16>,
    /// Packets whose audio level has the voice bit set.
    pub voice: u64,
    /// Sequence numbers of the packets with the marker bit.
    pub markers: Vec<u16>,
    /// Neighbours in arrival whose sequence numbers are neither equal nor consecutive.
    pub gaps: Vec<(u16, u16)>,
    /// Sequence numbers that arrived twice in a row.
    pub repeats: Vec<u16>,
    /// Timestamp steps between consecutive sequence numbers, each with its count.
    pub timestamp_steps: Vec<(u32, u64)>,
    /// Sequence number and timestamp of the first packet.
    pub first: Option<(u16, u32)>,
    /// Sequence number and timestamp of the newest packet.
    pub last: Option<(u16, u32)>,
}

impl RtpReport {
    /// How many packets' time passed between consecutive sequence numbers, if packets are `step`
    /// long; none if there were no two, or a step between two is no multiple of that.
    pub fn frames_left_out(&self, step: u32) -> Option<u64> {
        let between = |&(taken, times): &(u32, u64)| {
            let packets = taken.checked_div(step).filter(|packets| *packets > 0)?;
            (taken % step == 0).then_some(u64::from(packets - 1) * times)
        };
        if self.timestamp_steps.is_empty() {
            return None;
        }
        self.timestamp_steps.iter().map(between).sum()
    }
}

/// The RTCP packets of a [`Report`].
#[derive(Clone, Debug, Deserialize)]
pub struct RtcpReport {
    /// The packet types of every compound packet (200 is SR, 202 SDES, 203 BYE).
    pub compounds: Vec<Vec<u8>>,
    /// Datagrams that are not well-formed RTCP.
    pub malformed: u64,
    /// The sender reports.
    pub sender_reports: Vec<SenderReport>,
    /// What the peer itself reported.
    pub receiver_reports: Vec<ReceiverReport>,
    /// Distinct canonical names.
    pub cnames: Vec<String>,
    /// The goodbyes.
    pub byes: Vec<Bye>,
}

/// A sender report (RFC 3550 section 6.4.1) and what the peer had received by then.
#[derive(Clone, Debug, Deserialize)]
pub struct SenderReport {
    /// Source the report is about.
    pub ssrc: u32,
    /// NTP time of the report, in seconds since 1970.
    pub ntp_time: f64,
    /// Arrival by the wall clock of the peer, in seconds since 1970.
    pub arrival_time: f64,
    /// RTP timestamp of the report.
    pub rtp_timestamp: u32,
    /// Packets sent, as reported.
    pub packets: u32,
    /// Payload octets sent, as reported.
    pub octets: u32,
    /// RTP packets received before the report.
    pub received_packets: u32,
    /// RTP payload octets received before the report.
    pub received_octets: u32,
    /// Timestamp of the last RTP packet before the report.
    pub last_rtp_timestamp: Option<u32>,
    /// Seconds between that packet and the report.
    pub since_last_packet: Option<f64>,
}

/// A report block (RFC 3550 section 6.4.2) that the peer sent.
#[derive(Clone, Debug, Deserialize)]
pub struct ReceiverReport {
    /// Source the report is about.
    pub ssrc: u32,
    /// Of 256 packets expected since the report before so many were lost.
    pub fraction_lost: u8,
    /// Packets lost since the beginning.
    pub packets_lost: i64,
    /// Interarrival jitter, in ticks of the RTP clock.
    pub jitter: u32,
    /// Middle of the NTP time of the last sender report, 0 for none.
    pub last_sr: u32,
    /// Time since that one came, in 1/65536 s.
    pub delay_since_last_sr: u32,
    /// When it was sent, by the wall clock of the peer, in seconds since 1970.
    pub sent_time: f64,
}

/// An RTCP BYE.
#[derive(Clone, Debug, Deserialize)]
pub struct Bye {
    /// Sources that say goodbye.
    pub sources: Vec<u32>,
    /// Packet types of the compound it came in.
    pub compound: Vec<u8>,
}

/// A measured stretch of decoded audio.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Tone {
    /// Strongest frequency, in hertz.
    pub frequency: f64,
    /// Share of the energy at that frequency, 0 to 1.
    pub purity: f64,
    /// RMS level in dBFS; none for digital silence.
    pub level: Option<f64>,
    /// Sampling rate of the decoder, in hertz.
    pub sample_rate: u32,
}

#[derive(Deserialize)]
struct Description {
    sdp: String,
}

/// The interpreter that has the packages of `peers/requirements.txt`.
pub(crate) fn python() -> PathBuf {
    match std::env::var_os("SKYWAVE_PYTHON") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python"),
    }
}

/// Above the peer's own limit for decoding audio, so that its message is the one seen.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
