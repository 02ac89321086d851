//! One listener and a server made of the leaf crates, without sockets, on a clock of the test.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant, SystemTime};

use skywave_dtls::{Dtls, Event, HashAlgorithm, Identity, Role, SrtpKeys};
use skywave_ice::{Credentials, IceLite, MAX_REPLY_LEN, Path, StunMessage};
use skywave_load::{Answer, Failure, Listener, Phase, Reception, Settings};
use skywave_rtp::{CompoundReport, Replies, RtcpPacket, RtcpReader};
use skywave_sdp::SessionDescription;
use skywave_srtp::{MasterKey, Profile, SrtcpReceiver, SrtcpSender, SrtpSender};

/// A listener and its server, joined by a link without loss.
struct Call {
    now: Instant,
    listener: Listener,
    to_listener: Vec<Vec<u8>>,
    to_server: Vec<Vec<u8>>,
    ice: IceLite,
    /// It answers checks.
    present: bool,
    dtls: Dtls,
    keys: Option<SrtpKeys>,
    media: Option<SrtpSender>,
    reports: Option<SrtcpSender>,
    /// What the listener reports, in the clear.
    reported: Vec<Vec<u8>>,
    hearing: Option<SrtcpReceiver>,
    hung_up: bool,
    sequence_number: u16,
}

impl Call {
    fn new(role: Role) -> Self {
        Self::with_fingerprint_of(role, None)
    }

    /// The answer has the fingerprint of another certificate, if one is given.
    fn with_fingerprint_of(role: Role, other: Option<&Identity>) -> Self {
        let now = Instant::now();
        let settings = Settings {
            identity: Identity::generate(SystemTime::now()).unwrap(),
            sample: 1,
            patience: Duration::from_secs(5),
        };
        let server = Identity::generate(SystemTime::now()).unwrap();
        let credentials = Credentials::from_random([9; 24]);
        let mut listener = Listener::new(&settings, [4; 32], now);
        let offer = listener.offer("192.0.2.1:40000".parse().unwrap());
        let offer = SessionDescription::parse(&offer).unwrap();
        let mut ice = IceLite::new(&credentials, [0; 16]);
        let media = &offer.media[0];
        let (ufrag, pwd) = (media.ice_ufrag.as_deref(), media.ice_pwd.as_deref());
        ice.set_remote(Credentials::new(ufrag.unwrap(), pwd.unwrap()));
        let answer = Answer {
            ufrag: credentials.ufrag().to_owned(),
            pwd: credentials.pwd().to_owned(),
            fingerprints: vec![other.unwrap_or(&server).fingerprint()],
            role,
            candidates: Vec::new(),
            port: None,
            clock_rate: 48_000,
        };
        let server_role = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        let mut to_server = Vec::new();
        let remote = "192.0.2.9:5000".parse().unwrap();
        listener.accept(now, &answer, remote, &mut |bytes| {
            to_server.push(bytes.to_vec());
        });
        Self {
            now,
            listener,
            to_listener: Vec::new(),
            to_server,
            ice,
            present: true,
            dtls: Dtls::new(&server, server_role, now),
            keys: None,
            media: None,
            reports: None,
            reported: Vec::new(),
            hearing: None,
            hung_up: false,
            sequence_number: 65_534,
        }
    }

    /// Lets time pass in steps of 10 ms, and everything arrive at once.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now <= end {
            self.deliver();
            let to_server = &mut self.to_server;
            let emit = &mut |bytes: &[u8]| to_server.push(bytes.to_vec());
            self.listener.handle_timeout(self.now, emit);
            self.now += Duration::from_millis(10);
        }
    }

    fn deliver(&mut self) {
        while !(self.to_server.is_empty() && self.to_listener.is_empty()) {
            for datagram in std::mem::take(&mut self.to_server) {
                if self.present {
                    self.serve(&datagram);
                }
            }
            for mut datagram in std::mem::take(&mut self.to_listener) {
                let to_server = &mut self.to_server;
                let emit = &mut |bytes: &[u8]| to_server.push(bytes.to_vec());
                self.listener.handle_datagram(self.now, &mut datagram, emit);
            }
        }
    }

    fn serve(&mut self, datagram: &[u8]) {
        let to_listener = &mut self.to_listener;
        let emit = &mut |bytes: &[u8]| to_listener.push(bytes.to_vec());
        match datagram[0] {
            0..=3 => {
                let path = Path {
                    base: 0,
                    remote: "192.0.2.1:40000".parse().unwrap(),
                };
                let mut reply = [0; MAX_REPLY_LEN];
                let request = StunMessage::parse(datagram).unwrap();
                let answer = (self.ice).handle_request(self.now, path, &request, &mut reply);
                emit(&reply[..answer.unwrap().reply_len]);
                self.dtls.start(self.now, emit).unwrap();
            }
            20..=63 => match self.dtls.handle_datagram(self.now, datagram, emit) {
                Ok(Some(Event::Connected)) => self.secure(),
                Ok(Some(Event::Closed)) => self.hung_up = true,
                _ => {}
            },
            _ => {
                let mut report = datagram.to_vec();
                let len = self
                    .hearing
                    .as_mut()
                    .unwrap()
                    .unprotect(&mut report)
                    .unwrap();
                self.reported.push(report[..len].to_vec());
            }
        }
    }

    fn secure(&mut self) {
        let certificate = self.dtls.peer_certificate().unwrap().to_vec();
        let fingerprint = skywave_dtls::Fingerprint::of(HashAlgorithm::Sha256, &certificate);
        let keys = self.dtls.verify(&[fingerprint]).unwrap();
        let profile = Profile::from_iana(keys.profile).unwrap();
        let local = MasterKey::new(profile, keys.local_key(), keys.local_salt()).unwrap();
        let remote = MasterKey::new(profile, keys.remote_key(), keys.remote_salt()).unwrap();
        self.media = Some(SrtpSender::new(&local));
        self.reports = Some(SrtcpSender::new(&local));
        self.hearing = Some(SrtcpReceiver::new(&remote));
        self.keys = Some(keys);
    }

    /// The next packet as it goes over the link.
    fn packet(&mut self) -> Vec<u8> {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let mut packet = vec![0x80, 111];
        packet.extend(self.sequence_number.to_be_bytes());
        packet.extend((u32::from(self.sequence_number) * 960).to_be_bytes());
        packet.extend(SSRC.to_be_bytes());
        packet.extend([7; 40]);
        let len = packet.len();
        packet.resize(128, 0);
        let sender = self.media.as_mut().unwrap();
        let len = sender.protect(&mut packet, 12, len).unwrap();
        packet.truncate(len);
        packet
    }

    fn send_packets(&mut self, count: usize) {
        for _ in 0..count {
            let packet = self.packet();
            self.to_listener.push(packet);
            self.pass(Duration::from_millis(10));
        }
    }
}

const SSRC: u32 = 0x1234;

#[test]
fn listener_hears_whoever_begins_the_handshake() {
    for role in [Role::Client, Role::Server] {
        let mut call = Call::new(role);
        call.pass(Duration::from_millis(50));
        assert_eq!(call.listener.phase(), Phase::Waiting, "{role:?}");
        call.send_packets(10);
        assert_eq!(call.listener.phase(), Phase::Listening);
        let expected = Reception {
            received: 10,
            expected: 10,
            authenticated: 10,
            ..Reception::default()
        };
        assert_eq!(call.listener.reception(), expected);
        assert_eq!(call.listener.frame(), Some(20_000));
        let milestones = call.listener.milestones();
        assert!(milestones.checked <= milestones.secured);
        assert!(milestones.secured < milestones.heard);
    }
}

#[test]
fn packets_that_were_tampered_with_are_counted_and_begin_nothing() {
    let mut call = Call::new(Role::Client);
    call.pass(Duration::from_millis(50));
    // Far from a wrap: the rollover counter begins at the first genuine packet (RFC 3711 §3.3.1).
    call.sequence_number = 10;
    let damaged = |mut packet: Vec<u8>| {
        packet[20] ^= 1;
        packet
    };
    let packet = call.packet();
    call.to_listener.push(damaged(packet));
    call.pass(Duration::ZERO);
    assert_eq!(call.listener.phase(), Phase::Waiting);
    call.send_packets(2);
    let packet = call.packet();
    call.to_listener.push(damaged(packet));
    call.pass(Duration::ZERO);
    let reception = call.listener.reception();
    assert_eq!((reception.authenticated, reception.unauthentic), (2, 1));
}

#[test]
fn server_with_another_certificate_is_refused() {
    let other = Identity::generate(SystemTime::now()).unwrap();
    let mut call = Call::with_fingerprint_of(Role::Client, Some(&other));
    call.pass(Duration::from_millis(50));
    let failure = call.listener.failure();
    assert!(matches!(failure, Some(Failure::Dtls(_))), "{failure:?}");
}

#[test]
fn what_did_not_come_in_time_is_named() {
    let mut absent = Call::new(Role::Client);
    absent.present = false;
    absent.pass(Duration::from_secs(6));
    assert_eq!(absent.listener.failure(), Some(&Failure::Unreachable(None)));
    assert_eq!(absent.listener.next_due(), None);

    let mut silent = Call::new(Role::Client);
    silent.pass(Duration::from_secs(6));
    assert_eq!(silent.listener.failure(), Some(&Failure::Silent));
}

#[test]
fn rfc7675_5_1_consent_ends_when_checks_are_not_answered() {
    let mut call = Call::new(Role::Client);
    call.pass(Duration::from_millis(50));
    call.send_packets(1);
    call.pass(Duration::from_secs(60));
    assert_eq!(call.listener.phase(), Phase::Listening);
    call.present = false;
    call.pass(Duration::from_secs(40));
    assert_eq!(call.listener.failure(), Some(&Failure::ConsentLost));
}

#[test]
fn listener_reports_what_it_hears_and_says_goodbye() {
    let mut call = Call::new(Role::Client);
    call.pass(Duration::from_millis(50));
    call.send_packets(3);
    call.packet();
    call.send_packets(1);
    call.pass(Duration::from_secs(30));
    let count = call.reported.len();
    assert!((3..=12).contains(&count), "{count} reports in 30 s");
    let mut first = RtcpReader::new(&call.reported[0]);
    let Some(RtcpPacket::ReceiverReport { mut reports, .. }) = first.next() else {
        panic!("no receiver report");
    };
    let block = reports.next().unwrap();
    assert_eq!((block.ssrc, block.cumulative_lost), (SSRC, 1));
    assert_eq!(
        (block.highest_sequence, block.fraction_lost),
        (1 << 16 | 3, 51)
    );

    let to_server = &mut call.to_server;
    let emit = &mut |bytes: &[u8]| to_server.push(bytes.to_vec());
    call.listener.leave(call.now, emit);
    call.deliver();
    let mut last = RtcpReader::new(call.reported.last().unwrap());
    assert!(last.any(|packet| matches!(packet, RtcpPacket::Bye(_))));
    assert!(call.hung_up);
    assert_eq!(
        (call.listener.phase(), call.listener.failure()),
        (Phase::Over, None)
    );
}

#[test]
fn server_may_hang_up_by_bye_alone() {
    let mut call = Call::new(Role::Client);
    call.pass(Duration::from_millis(50));
    call.send_packets(1);
    let farewell = CompoundReport {
        ssrc: SSRC,
        sender: None,
        cname: "server",
        rtx: None,
        mid: None,
        replies: Replies::default(),
        bye: Some(""),
    };
    let mut buffer = [0; 128];
    let len = farewell.write(&mut buffer).unwrap();
    let len = call
        .reports
        .as_mut()
        .unwrap()
        .protect(&mut buffer, len)
        .unwrap();
    call.to_listener.push(buffer[..len].to_vec());
    call.pass(Duration::ZERO);
    assert_eq!(call.listener.failure(), Some(&Failure::HungUp));
}
