//! Does one thing a number of times, for `cargo xtask instructions` to count the instructions of.
//!
//! Without arguments it lists what it can do. Whatever comes before the first packet costs the same
//! with any number, so that the difference of two runs is that of their packets.

use std::hint::black_box;

use skywave_benches::{Frame, HEADER_OCTETS, Listener, PROFILES, Session, Skywave, buffer};
use skywave_srtp::{MasterKey, Profile, SrtcpReceiver, SrtcpSender};

/// One kind of work, with all it needs.
enum Work {
    Packetize(Skywave),
    Protect(Skywave),
    UnprotectSrtcp {
        receiver: SrtcpReceiver,
        protected: Vec<Vec<u8>>,
    },
}

impl Work {
    fn named(name: &str) -> Option<Work> {
        if name == PACKETIZE {
            let listener = Listener::new(PROFILES[0], 0);
            return Some(Work::Packetize(Skywave::new(&listener)));
        }
        PROFILES.iter().find_map(|profile| {
            if name == protect(*profile) {
                Some(Work::Protect(Skywave::new(&Listener::new(*profile, 0))))
            } else if name == unprotect_srtcp(*profile) {
                Some(Work::received_srtcp(*profile))
            } else {
                None
            }
        })
    }

    fn received_srtcp(profile: Profile) -> Work {
        let listener = Listener::new(profile, 0);
        let master = MasterKey::new(profile, listener.key(), listener.salt());
        let master = master.expect("the lengths are the profile's");
        let mut sender = SrtcpSender::new(&master);
        let protected = (0..MAX_PACKETS).map(|_| {
            let mut packet = buffer();
            packet[..RECEIVER_REPORT.len()].copy_from_slice(&RECEIVER_REPORT);
            let len = sender.protect(&mut packet, RECEIVER_REPORT.len());
            packet.truncate(len.expect("the buffer holds the packet"));
            packet
        });
        Work::UnprotectSrtcp {
            protected: protected.collect(),
            receiver: SrtcpReceiver::new(&master),
        }
    }

    fn run(&mut self, packets: usize) {
        let frame = Frame::new(PAYLOAD_OCTETS, 960);
        let mut packet = buffer();
        match self {
            Work::Packetize(session) => {
                for _ in 0..packets {
                    black_box(session.packetize(black_box(&frame), &mut packet));
                }
            }
            Work::Protect(session) => {
                let (header_len, len) = session.packetize(&frame, &mut packet);
                assert_eq!(header_len, HEADER_OCTETS);
                for number in 0..packets as u16 {
                    packet[2..4].copy_from_slice(&number.to_be_bytes());
                    black_box(session.protect(black_box(&mut packet), header_len, len));
                }
            }
            Work::UnprotectSrtcp {
                receiver,
                protected,
            } => {
                for packet in &mut protected[..packets] {
                    let len = receiver.unprotect(packet).expect("genuine and new");
                    black_box(len);
                }
            }
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, packets] = arguments.as_slice() else {
        println!("{PACKETIZE}");
        for profile in PROFILES {
            println!("{}\n{}", protect(profile), unprotect_srtcp(profile));
        }
        return;
    };
    let packets = packets.parse().expect("the second argument is a number");
    assert!(packets <= MAX_PACKETS, "at most {MAX_PACKETS} packets");
    let mut work = Work::named(name).expect("the first argument is listed without arguments");
    work.run(packets);
}

fn protect(profile: Profile) -> String {
    format!("protect_{}", profile.name())
}

fn unprotect_srtcp(profile: Profile) -> String {
    format!("unprotect_srtcp_{}", profile.name())
}

const PACKETIZE: &str = "packetize";
const MAX_PACKETS: usize = 20_000;
/// 20 ms of PCMU.
const PAYLOAD_OCTETS: usize = 160;
/// With one report block of zeros.
const RECEIVER_REPORT: [u8; 32] = {
    let mut packet = [0; 32];
    packet[0] = 0x81;
    packet[1] = 201;
    packet[3] = 7;
    packet
};
