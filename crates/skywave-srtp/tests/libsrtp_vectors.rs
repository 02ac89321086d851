//! Packets protected by libsrtp: the senders write the same bytes, the receivers read them back.

#![allow(clippy::unwrap_used, missing_docs)]

use serde::Deserialize;
use skywave_srtp::{
    MAX_RTCP_OVERHEAD, MasterKey, Profile, SrtcpReceiver, SrtcpSender, SrtpReceiver, SrtpSender,
};

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    profile: String,
    master_key: String,
    master_salt: String,
    packets: Vec<Packet>,
}

#[derive(Deserialize)]
struct Packet {
    kind: String,
    plain: String,
    protected: String,
}

#[test]
fn senders_write_the_bytes_of_libsrtp() {
    for (case, master) in cases() {
        let mut rtp = SrtpSender::new(&master);
        let mut rtcp = SrtcpSender::new(&master);
        // libsrtp gives its first SRTCP packet the index 1.
        rtcp.protect(&mut [0x80; 28], 8).unwrap();
        for (i, packet) in case.packets.iter().enumerate() {
            let mut buffer = hex(&packet.plain);
            let len = buffer.len();
            buffer.resize(len + MAX_RTCP_OVERHEAD, 0);
            let len = match packet.kind.as_str() {
                "rtp" => rtp.protect(&mut buffer, header_len(&hex(&packet.plain)), len),
                "rtcp" => rtcp.protect(&mut buffer, len),
                other => panic!("unknown kind {other}"),
            };
            let label = format!("{} / {} / packet {i}", case.profile, case.name);
            assert_eq!(buffer[..len.unwrap()], hex(&packet.protected), "{label}");
        }
    }
}

#[test]
fn receivers_read_the_packets_of_libsrtp() {
    for (case, master) in cases() {
        let mut rtp = SrtpReceiver::new(&master);
        let mut rtcp = SrtcpReceiver::new(&master);
        for (i, packet) in case.packets.iter().enumerate() {
            let mut buffer = hex(&packet.protected);
            let len = match packet.kind.as_str() {
                "rtp" => rtp.unprotect(&mut buffer),
                "rtcp" => rtcp.unprotect(&mut buffer),
                other => panic!("unknown kind {other}"),
            };
            let label = format!("{} / {} / packet {i}", case.profile, case.name);
            assert_eq!(buffer[..len.unwrap()], hex(&packet.plain), "{label}");
        }
    }
}

/// All cases, with their keys.
fn cases() -> Vec<(Case, MasterKey)> {
    let vectors: Vectors = serde_json::from_str(include_str!("../testdata/srtp.json")).unwrap();
    let cases: Vec<(Case, MasterKey)> = vectors
        .cases
        .into_iter()
        .map(|case| {
            let profile = profile(&case.profile).unwrap();
            let master =
                MasterKey::new(profile, &hex(&case.master_key), &hex(&case.master_salt)).unwrap();
            (case, master)
        })
        .collect();
    assert_eq!(cases.len(), 20, "five cases for each of four profiles");
    cases
}

fn profile(name: &str) -> Option<Profile> {
    [1, 2, 7, 8]
        .into_iter()
        .filter_map(Profile::from_iana)
        .find(|profile| name.strip_prefix("SRTP_") == Some(profile.name()))
}

/// Bytes of the RTP header, read independently of the crate.
fn header_len(packet: &[u8]) -> usize {
    let fixed = 12 + 4 * usize::from(packet[0] & 0x0f);
    if packet[0] & 0x10 == 0 {
        return fixed;
    }
    let words = u16::from_be_bytes([packet[fixed + 2], packet[fixed + 3]]);
    fixed + 4 + 4 * usize::from(words)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
