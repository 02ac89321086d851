//! A STUN message of a stranger (RFC 8489), as it came and, with its attributes signed anew, as a
//! connectivity check that knows the password (RFC 8445 §7.3).

use std::net::SocketAddr;
use std::time::Instant;

use skywave_ice::{
    BINDING, Class, Credentials, DropReason, IceLite, IntegrityKey, MAX_REPLY_LEN, Path,
    StunMessage, StunWriter, is_stun,
};

use crate::view::assert_inside;

/// Reads the datagram in `data` and answers it; true if it is STUN.
///
/// # Panics
/// If what is read does not lie in the message, an answer goes to one who does not know the
/// password, or an answer is not a signed message of the same transaction.
pub fn stun(data: &[u8]) -> bool {
    let good = match StunMessage::parse(data) {
        Ok(message) => {
            assert!(is_stun(data[0]));
            assert_message(data, &message);
            answer(&message);
            true
        }
        Err(reason) => {
            let is_structure = matches!(
                reason,
                DropReason::Truncated
                    | DropReason::NotStun
                    | DropReason::BadLength
                    | DropReason::BadAttribute
            );
            assert!(is_structure, "{reason}");
            false
        }
    };
    answer_signed(data, good);
    good
}

fn assert_message(data: &[u8], message: &StunMessage<'_>) {
    assert_eq!(message.transaction_id(), data[8..20]);
    assert!(message.method() < 1 << 12);
    assert!(message.unknown_attributes().len() <= 8);
    for kind in message.unknown_attributes() {
        assert!(*kind < 0x8000, "{kind:#06x} may be ignored");
    }
    assert!(
        message
            .error_code()
            .is_none_or(|code| (300..700).contains(&code))
    );
    if let Some(username) = message.username() {
        assert_inside(data, username);
        let ufrag = message.local_ufrag().map(str::as_bytes);
        assert!(ufrag.is_none_or(|ufrag| username.starts_with(ufrag)));
    }
    if let Some(address) = message.xor_mapped_address() {
        assert_address_again(message.transaction_id(), address);
    }
}

fn assert_address_again(transaction_id: [u8; 12], address: SocketAddr) {
    let mut buffer = [0; 64];
    let mut writer = StunWriter::new(&mut buffer, Class::Success, BINDING, transaction_id);
    writer.xor_mapped_address(address);
    let len = writer.finish(None).expect("the buffer is long enough");
    let again = StunMessage::parse(&buffer[..len]).expect("our own message can be read");
    let canonical = SocketAddr::new(address.ip().to_canonical(), address.port());
    assert_eq!(again.xor_mapped_address(), Some(canonical));
}

/// The same header and attributes with a signature and fingerprint of their own.
fn answer_signed(data: &[u8], good: bool) {
    let Some((header, mut attributes)) = data.split_first_chunk::<20>() else {
        return;
    };
    let mut transaction_id = [0; 12];
    transaction_id.copy_from_slice(&header[8..]);
    let mut buffer = vec![0; data.len() + 64];
    let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, transaction_id);
    while let Some(([t0, t1, l0, l1], rest)) = attributes.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([*l0, *l1]));
        let kind = u16::from_be_bytes([*t0, *t1]);
        let Some(value) = rest.get(..len) else {
            break;
        };
        // What stands behind a signature of its own was not signed.
        if matches!(kind, MESSAGE_INTEGRITY | FINGERPRINT) {
            break;
        }
        writer.attribute(kind, value);
        attributes = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    let Some(len) = writer.finish(Some(&key())) else {
        assert!(
            data.len() > usize::from(u16::MAX) - 64,
            "the buffer is long enough"
        );
        return;
    };
    match StunMessage::parse(&buffer[..len]) {
        Ok(message) => {
            assert!(message.fingerprint_ok() && message.verify_integrity(&key()));
            assert_message(&buffer[..len], &message);
            answer(&message);
        }
        Err(reason) => assert!(!good && reason == DropReason::BadAttribute, "{reason}"),
    }
}

/// Lets an agent answer, twice by different paths.
fn answer(message: &StunMessage<'_>) {
    let now = Instant::now();
    let mut agent = IceLite::new(&credentials(), [0; 16]);
    let genuine = message.class() == Class::Request
        && message.method() == BINDING
        && message.fingerprint_ok()
        && message.verify_integrity(&key());
    for remote in ["192.0.2.1:32853", "[2001:db8::7]:9"] {
        let remote = remote.parse().expect("an address");
        let path = Path { base: 0, remote };
        let mut reply = [0; MAX_REPLY_LEN];
        let before = agent.selected();
        match agent.handle_request(now, path, message, &mut reply) {
            Ok(check) => {
                assert!(genuine && agent.validated(path));
                assert_eq!(check.nominated, agent.selected() != before);
                assert!(agent.last_check().is_some());
                let reply = assert_reply(message, &reply[..check.reply_len], Class::Success);
                assert_eq!(reply, (Some(remote), None));
            }
            Err(rejected) => {
                assert!(!agent.validated(path));
                assert_eq!(agent.selected(), before);
                assert_eq!(rejected.reply_len > 0, genuine, "{}", rejected.reason);
                if genuine {
                    let reply = assert_reply(message, &reply[..rejected.reply_len], Class::Error);
                    assert!(reply.1.is_some(), "no error code");
                }
            }
        }
    }
}

/// The address and the error code in a reply.
fn assert_reply(
    request: &StunMessage<'_>,
    reply: &[u8],
    class: Class,
) -> (Option<SocketAddr>, Option<u16>) {
    let reply = StunMessage::parse(reply).expect("a reply can be read");
    assert!(reply.fingerprint_ok() && reply.verify_integrity(&key()));
    assert_eq!((reply.class(), reply.method()), (class, BINDING));
    assert_eq!(reply.transaction_id(), request.transaction_id());
    (reply.xor_mapped_address(), reply.error_code())
}

/// Those under which the checks of the corpus were captured.
fn credentials() -> Credentials {
    Credentials::from_random(*b"skywave-capture-of-stun!")
}

fn key() -> IntegrityKey {
    IntegrityKey::new(credentials().pwd())
}

const MESSAGE_INTEGRITY: u16 = 0x0008;
const FINGERPRINT: u16 = 0x8028;
