//! The least that a listener is: it checks, shakes hands, and stays. What it is sent it leaves to
//! the kernel, which drops it.

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use skywave::{AudioTransmitter, TransmitterState};
use skywave_dtls::{Dtls, Event, Identity, Role};
use skywave_ice::{BINDING, Class, IntegrityKey, StunWriter, is_stun};

pub(crate) struct Listener {
    socket: UdpSocket,
    check: Vec<u8>,
}

impl Listener {
    /// Offers to listen, and returns once media can flow.
    pub(crate) fn connect(
        transmitter: &mut AudioTransmitter,
        engine: SocketAddr,
        identity: &Identity,
        terms: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let socket = UdpSocket::bind(SocketAddr::new(engine.ip(), 0))?;
        socket.connect(engine)?;
        socket.set_read_timeout(Some(RETRY))?;
        let answer = transmitter.accept_offer(&offer(identity, terms))?;
        let listener = Self {
            socket,
            check: check(&answer)?,
        };
        let deadline = Instant::now() + PATIENCE;
        listener.nominate(deadline)?;
        listener.shake_hands(identity, deadline)?;
        while transmitter.state() != TransmitterState::Connected {
            if Instant::now() > deadline {
                return Err("the transmitter did not notice that it is connected".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(listener)
    }

    /// Says that it is still there.
    pub(crate) fn stay(&self) {
        // A refusal is as good as a loss: the next one comes soon.
        let _ = self.socket.send(&self.check);
    }

    fn nominate(&self, deadline: Instant) -> Result<(), Box<dyn Error>> {
        let mut reply = [0; 2048];
        while Instant::now() < deadline {
            self.socket.send(&self.check)?;
            if self.socket.recv(&mut reply).is_ok() {
                return Ok(());
            }
        }
        Err("no answer to the connectivity check".into())
    }

    fn shake_hands(&self, identity: &Identity, deadline: Instant) -> Result<(), Box<dyn Error>> {
        let mut dtls = Dtls::new(identity, Role::Client, Instant::now());
        let mut emit = |datagram: &[u8]| {
            let _ = self.socket.send(datagram);
        };
        dtls.start(Instant::now(), &mut emit)?;
        let mut buffer = [0; 2048];
        while Instant::now() < deadline {
            let now = Instant::now();
            let event = match self.socket.recv(&mut buffer) {
                Ok(len) if !is_stun(buffer[0]) => {
                    dtls.handle_datagram(now, &buffer[..len], &mut emit)?
                }
                Ok(_) => None,
                Err(_) => dtls.handle_timeout(now, &mut emit)?,
            };
            if event == Some(Event::Connected) {
                return Ok(());
            }
        }
        Err("the handshake did not end".into())
    }
}

fn offer(identity: &Identity, terms: &str) -> String {
    let digest = identity.fingerprint().value;
    let digest: Vec<String> = digest.iter().map(|octet| format!("{octet:02X}")).collect();
    let digest = digest.join(":");
    format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\n\
         a=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=setup:actpass\r\na=ice-ufrag:{UFRAG}\r\n\
         a=ice-pwd:{PWD}\r\na=fingerprint:sha-256 {digest}\r\n{terms}"
    )
}

/// A nominating check, signed for the peer of that answer.
fn check(answer: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name));
    let ufrag = value("a=ice-ufrag:").ok_or("an answer without a=ice-ufrag")?;
    let pwd = value("a=ice-pwd:").ok_or("an answer without a=ice-pwd")?;
    let mut buffer = [0; 256];
    let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [1; 12]);
    writer.username(&format!("{ufrag}:{UFRAG}"));
    writer.priority(1);
    writer.ice_controlling(1);
    writer.use_candidate();
    let key = IntegrityKey::new(pwd);
    let len = writer.finish(Some(&key)).ok_or("a check too long")?;
    Ok(buffer[..len].to_vec())
}

const UFRAG: &str = "listener";
const PWD: &str = "nobody-checks-this-listener";
const RETRY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);
