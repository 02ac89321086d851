//! The other end of a peer: a controlling ICE agent, DTLS, and a receiver.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use skywave_dtls::{Dtls, Event, Identity, Role, SrtpKeys};
use skywave_ice::{BINDING, Class, Credentials, IntegrityKey, Path, StunMessage, StunWriter};
use skywave_peer::{LocalParameters, Protocol, TransportCounters};
use skywave_rtp::{Counters, ReportBlock, RtpPacket};
use skywave_srtp::{
    DropReason, HeaderEncryption, MasterKey, Profile, SrtcpReceiver, SrtcpSender, SrtpReceiver,
};

use super::rtcp;

/// One listener.
pub(crate) struct Listener {
    pub(crate) path: Path,
    pub(crate) credentials: Credentials,
    pub(crate) identity: Identity,
    pub(crate) counters: Arc<Counters>,
    pub(crate) transport: Arc<TransportCounters>,
    pub(crate) outgoing: Vec<Vec<u8>>,
    /// RTP packets received and authenticated, decrypted: of all sources.
    pub(crate) packets: Vec<Vec<u8>>,
    /// The same as they came.
    pub(crate) protected: Vec<Vec<u8>>,
    /// Protected packets that got lost.
    pub(crate) lost: Vec<Vec<u8>>,
    /// Whether the packet that comes gets lost.
    pub(crate) loses: Box<dyn FnMut() -> bool>,
    /// Packets that came before.
    pub(crate) replays: usize,
    /// How headers are encrypted; to be set before the handshake.
    pub(crate) header_encryption: HeaderEncryption,
    /// The stream it listens to.
    pub(crate) media_ssrc: u32,
    /// How often it reports, if at all.
    pub(crate) report_interval: Option<Duration>,
    /// The highest sequence number of the stream with its rollovers, as it is reported.
    pub(crate) highest: Option<u32>,
    /// What it hears does not reach its reports.
    pub(crate) deaf: bool,
    next_report: Instant,
    /// When each of them came.
    pub(crate) packet_times: Vec<Instant>,
    /// RTCP compounds received, decrypted, with the time.
    pub(crate) reports: Vec<(Instant, Vec<u8>)>,
    pub(crate) closed: bool,
    /// Whether it still sends connectivity checks, and with which attributes.
    pub(crate) checks: bool,
    pub(crate) nominates: bool,
    /// Whether it answers those of the hub; else they are kept.
    pub(crate) answers: bool,
    pub(crate) questions: Vec<Vec<u8>>,
    /// The time between two checks.
    pub(crate) check_interval: Duration,
    /// Datagrams of any kind that came, checks' answers included.
    pub(crate) datagrams: usize,
    remote: Credentials,
    key: IntegrityKey,
    dtls: Dtls,
    role: Role,
    next_check: Instant,
    checked: bool,
    srtp: Option<Contexts>,
}

struct Contexts {
    rtp: SrtpReceiver,
    rtcp: SrtcpReceiver,
    sender: SrtcpSender,
}

impl Listener {
    pub(crate) fn new(index: usize, remote: &LocalParameters, role: Role, now: Instant) -> Self {
        let identity = Identity::generate(SystemTime::now()).unwrap();
        Self {
            path: path(index, 0),
            credentials: Credentials::new(
                &format!("listener{index}"),
                &format!("the password of listener {index}"),
            ),
            counters: Arc::default(),
            transport: Arc::default(),
            outgoing: Vec::new(),
            packets: Vec::new(),
            protected: Vec::new(),
            lost: Vec::new(),
            loses: Box::new(|| false),
            replays: 0,
            header_encryption: HeaderEncryption::None,
            media_ssrc: remote.ssrc,
            report_interval: None,
            highest: None,
            deaf: false,
            next_report: now,
            packet_times: Vec::new(),
            reports: Vec::new(),
            closed: false,
            checks: true,
            nominates: true,
            answers: true,
            questions: Vec::new(),
            check_interval: CHECK_INTERVAL,
            datagrams: 0,
            remote: remote.credentials.clone(),
            key: IntegrityKey::new(remote.credentials.pwd()),
            dtls: Dtls::new(&identity, role, now),
            identity,
            role,
            next_check: now,
            checked: false,
            srtp: None,
        }
    }

    /// Goes to another address, as a phone that leaves its Wi-Fi does.
    pub(crate) fn move_to(&mut self, place: u16, now: Instant) {
        self.path.remote.set_port(self.path.remote.port() + place);
        self.next_check = now;
    }

    /// Goes on with other credentials, its own and the other end's.
    pub(crate) fn restart_ice(&mut self, remote: &Credentials, own: Credentials, now: Instant) {
        self.key = IntegrityKey::new(remote.pwd());
        self.remote = remote.clone();
        self.credentials = own;
        self.next_check = now;
    }

    pub(crate) fn hears(&self, path: Path) -> bool {
        self.path == path
    }

    /// What its timers make it send.
    pub(crate) fn work(&mut self, now: Instant) {
        if self.checks && now >= self.next_check {
            self.next_check = now
                + if self.checked {
                    self.check_interval
                } else {
                    RETRY_INTERVAL
                };
            let check = self.check(self.nominates);
            self.outgoing.push(check);
        }
        if self.dtls.next_timeout().is_some_and(|due| due <= now) {
            let outgoing = &mut self.outgoing;
            let emit = &mut |bytes: &[u8]| outgoing.push(bytes.to_vec());
            let event = self.dtls.handle_timeout(now, emit);
            self.on_dtls(event.ok().flatten());
        }
        if let Some(interval) = self.report_interval
            && now >= self.next_report
            && self.highest.is_some()
        {
            self.next_report = now + interval;
            self.send_rtcp(&rtcp::receiver_report(&self.report_block()));
        }
    }

    /// What it reports of the stream.
    pub(crate) fn report_block(&self) -> ReportBlock {
        ReportBlock {
            ssrc: self.media_ssrc,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: self.highest.unwrap_or_default(),
            jitter: 0,
            last_sr: 0,
            delay_since_last_sr: 0,
        }
    }

    /// A Binding request.
    pub(crate) fn check(&self, nominate: bool) -> Vec<u8> {
        self.signed_check(nominate, &self.key)
    }

    /// A Binding request of somebody who does not know the password.
    pub(crate) fn check_with_password(&self, password: &str) -> Vec<u8> {
        self.signed_check(true, &IntegrityKey::new(password))
    }

    fn signed_check(&self, nominate: bool, key: &IntegrityKey) -> Vec<u8> {
        let mut buffer = [0; 512];
        let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [9; 12]);
        writer.username(&format!(
            "{}:{}",
            self.remote.ufrag(),
            self.credentials.ufrag()
        ));
        writer.priority(1_853_824_767);
        writer.ice_controlling(1);
        if nominate {
            writer.use_candidate();
        }
        let len = writer.finish(Some(key)).unwrap();
        buffer[..len].to_vec()
    }

    pub(crate) fn handle(&mut self, now: Instant, datagram: &[u8], _: Path) {
        self.datagrams += 1;
        let mut datagram = datagram.to_vec();
        match Protocol::of(&datagram) {
            Protocol::Stun => self.on_stun(now, &datagram),
            Protocol::Dtls => {
                let outgoing = &mut self.outgoing;
                let emit = &mut |bytes: &[u8]| outgoing.push(bytes.to_vec());
                let event = self.dtls.handle_datagram(now, &datagram, emit);
                self.on_dtls(event.ok().flatten());
            }
            Protocol::Srtp if (self.loses)() => self.lost.push(datagram),
            Protocol::Srtp => self.on_media(now, datagram),
            Protocol::Srtcp => {
                let contexts = self.srtp.as_mut().unwrap();
                let len = contexts.rtcp.unprotect(&mut datagram).unwrap();
                self.reports.push((now, datagram[..len].to_vec()));
            }
            Protocol::Unknown => panic!("a datagram of no protocol"),
        }
    }

    fn on_media(&mut self, now: Instant, mut datagram: Vec<u8>) {
        let contexts = self
            .srtp
            .as_mut()
            .expect("no media before the handshake is done");
        let protected = datagram.clone();
        let len = match contexts.rtp.unprotect(&mut datagram) {
            Ok(len) => len,
            Err(DropReason::Replayed) => {
                self.replays += 1;
                return;
            }
            Err(reason) => panic!("{reason:?}"),
        };
        datagram.truncate(len);
        let packet = RtpPacket::parse(&datagram).unwrap();
        if packet.ssrc() == self.media_ssrc && !self.deaf {
            self.highest = Some(extended(self.highest, packet.sequence_number()));
        }
        self.packets.push(datagram);
        self.protected.push(protected);
        self.packet_times.push(now);
    }

    /// Forgets what came until now.
    pub(crate) fn clear(&mut self) {
        self.packets.clear();
        self.protected.clear();
        self.packet_times.clear();
        self.lost.clear();
        self.reports.clear();
    }

    fn on_stun(&mut self, now: Instant, datagram: &[u8]) {
        let message = StunMessage::parse(datagram).unwrap();
        match message.class() {
            Class::Request if self.answers => self.answer(&message),
            Class::Request => self.questions.push(datagram.to_vec()),
            _ => self.on_check_answered(now),
        }
    }

    /// Answers a check of the hub (RFC 8445 §7.3), as any ICE agent does.
    fn answer(&mut self, request: &StunMessage<'_>) {
        let key = IntegrityKey::new(self.credentials.pwd());
        assert!(request.fingerprint_ok() && request.verify_integrity(&key));
        let username = format!("{}:{}", self.credentials.ufrag(), self.remote.ufrag());
        assert_eq!(request.username(), Some(username.as_bytes()));
        assert!(request.ice_controlled().is_some(), "we lead");
        let response = self.response(request.transaction_id());
        self.outgoing.push(response);
    }

    /// A success response signed by this listener.
    pub(crate) fn response(&self, transaction_id: [u8; 12]) -> Vec<u8> {
        let mut buffer = [0; 128];
        let mut writer = StunWriter::new(&mut buffer, Class::Success, BINDING, transaction_id);
        writer.xor_mapped_address(([198, 51, 100, 1], 5000).into());
        let key = IntegrityKey::new(self.credentials.pwd());
        let len = writer.finish(Some(&key)).unwrap();
        buffer[..len].to_vec()
    }

    fn on_check_answered(&mut self, now: Instant) {
        self.checked = true;
        if self.role == Role::Client {
            let outgoing = &mut self.outgoing;
            let emit = &mut |bytes: &[u8]| outgoing.push(bytes.to_vec());
            self.dtls.start(now, emit).unwrap();
        }
    }

    fn on_dtls(&mut self, event: Option<Event>) {
        match event {
            Some(Event::Connected) => {
                let certificate = self.dtls.peer_certificate().unwrap().to_vec();
                let algorithm = skywave_dtls::HashAlgorithm::Sha256;
                let fingerprint = skywave_dtls::Fingerprint::of(algorithm, &certificate);
                let keys = self.dtls.verify(&[fingerprint]).unwrap();
                self.srtp = Some(Contexts::new(&keys, self.header_encryption));
            }
            Some(Event::Closed) => self.closed = true,
            None => {}
        }
    }

    /// Hangs up by DTLS.
    pub(crate) fn close(&mut self, now: Instant) {
        let outgoing = &mut self.outgoing;
        self.dtls
            .close(now, &mut |bytes| outgoing.push(bytes.to_vec()));
    }

    /// Sends RTCP.
    pub(crate) fn send_rtcp(&mut self, compound: &[u8]) {
        let protected = self.protect_rtcp(compound);
        self.outgoing.push(protected);
    }

    /// RTCP as it goes over the link.
    pub(crate) fn protect_rtcp(&mut self, compound: &[u8]) -> Vec<u8> {
        let mut buffer = [0; 1500];
        buffer[..compound.len()].copy_from_slice(compound);
        let sender = &mut self.srtp.as_mut().unwrap().sender;
        let len = sender.protect(&mut buffer, compound.len()).unwrap();
        buffer[..len].to_vec()
    }

    /// Whether its handshake is done.
    pub(crate) fn is_keyed(&self) -> bool {
        self.srtp.is_some()
    }

    pub(crate) fn sequence_numbers(&self) -> Vec<u16> {
        let number = |packet: &Vec<u8>| RtpPacket::parse(packet).unwrap().sequence_number();
        self.packets.iter().map(number).collect()
    }

    pub(crate) fn ssrc(&self) -> u32 {
        RtpPacket::parse(&self.packets[0]).unwrap().ssrc()
    }
}

impl Contexts {
    fn new(keys: &SrtpKeys, encryption: HeaderEncryption) -> Self {
        let profile = Profile::from_iana(keys.profile).unwrap();
        let remote = MasterKey::new(profile, keys.remote_key(), keys.remote_salt()).unwrap();
        let local = MasterKey::new(profile, keys.local_key(), keys.local_salt()).unwrap();
        Self {
            rtp: SrtpReceiver::with_header_encryption(&remote, encryption),
            rtcp: SrtcpReceiver::new(&remote),
            sender: SrtcpSender::new(&local),
        }
    }
}

/// The sequence number with its rollovers, next to the highest one before (RFC 3550 A.1).
fn extended(highest: Option<u32>, number: u16) -> u32 {
    let Some(highest) = highest else {
        return number.into();
    };
    let ahead = number.wrapping_sub(highest as u16) as i16;
    highest.wrapping_add_signed(ahead.max(0).into())
}

/// The address of a listener.
pub(crate) fn path(index: usize, place: u16) -> Path {
    Path {
        base: 0,
        remote: format!("192.0.2.{}:{}", index + 1, 40_000 + place)
            .parse()
            .unwrap(),
    }
}

/// RFC 7675 §5.1.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
