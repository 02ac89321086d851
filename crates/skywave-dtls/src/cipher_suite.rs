//! The cipher suite of a handshake, as its ServerHello has it (RFC 5246 §7.4.1.3,
//! RFC 8446 §4.1.3). The engine does not tell it, but the message is in clear text in
//! both versions.

/// A cipher suite by its number at IANA ("TLS Cipher Suites").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// Its description at IANA; `None` for those that are not spoken here.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x1301 => "TLS_AES_128_GCM_SHA256",
            0x1302 => "TLS_AES_256_GCM_SHA384",
            0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
            0x1304 => "TLS_AES_128_CCM_SHA256",
            0x1305 => "TLS_AES_128_CCM_8_SHA256",
            0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            _ => return None,
        })
    }
}

/// What the ServerHellos of one handshake say, ours or the peer's.
///
/// All of them agree, a HelloRetryRequest among them (RFC 8446 §4.1.4); only a forger's
/// says something else. Which one the engine went by is then not known, and not told.
#[derive(Default)]
pub(crate) struct ChosenSuite {
    first: Option<CipherSuite>,
    is_disputed: bool,
}

impl ChosenSuite {
    /// Looks at the first record of a datagram; in its flight a ServerHello comes first.
    pub(crate) fn note(&mut self, datagram: &[u8]) {
        let Some(suite) = in_server_hello(datagram) else {
            return;
        };
        let first = *self.first.get_or_insert(suite);
        self.is_disputed |= first != suite;
    }

    pub(crate) fn get(&self) -> Option<CipherSuite> {
        self.first.filter(|_| !self.is_disputed)
    }
}

/// `None` also for one that is cut before its cipher suite.
fn in_server_hello(datagram: &[u8]) -> Option<CipherSuite> {
    let (record, message) = datagram.split_at_checked(RECORD_HEADER_LEN)?;
    let (header, hello) = message.split_at_checked(MESSAGE_HEADER_LEN)?;
    let is_plain = matches!(record, [HANDSHAKE, 0xfe, _, 0, 0, ..]);
    let is_first_fragment = header[6..9] == [0; 3];
    if !is_plain || header[0] != SERVER_HELLO || !is_first_fragment {
        return None;
    }
    let session_id_len = usize::from(*hello.get(VERSION_AND_RANDOM_LEN)?);
    let begin = VERSION_AND_RANDOM_LEN + 1 + session_id_len;
    let suite = hello.get(begin..begin + 2)?;
    Some(CipherSuite(u16::from_be_bytes(suite.try_into().ok()?)))
}

const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const RECORD_HEADER_LEN: usize = 13;
const MESSAGE_HEADER_LEN: usize = 12;
const VERSION_AND_RANDOM_LEN: usize = 2 + 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn server_hello(session_id: &[u8], suite: u16) -> Vec<u8> {
        let mut hello = vec![HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 90];
        hello.extend([SERVER_HELLO, 0, 0, 78, 0, 0, 0, 0, 0, 0, 0, 78, 0xfe, 0xfd]);
        hello.extend([7; 32]);
        hello.push(session_id.len() as u8);
        hello.extend(session_id);
        hello.extend(suite.to_be_bytes());
        hello.push(0);
        hello
    }

    #[test]
    fn suite_lies_behind_the_session_id() {
        for session_id in [&[][..], &[9; 32]] {
            let hello = server_hello(session_id, 0xc02b);
            assert_eq!(in_server_hello(&hello), Some(CipherSuite(0xc02b)));
            for len in 0..hello.len() - 1 {
                assert_eq!(in_server_hello(&hello[..len]), None, "{len}");
            }
        }
    }

    #[test]
    fn other_messages_and_later_fragments_say_nothing() {
        let hello = server_hello(&[], 0x1301);
        // Content type, epoch, message type, fragment offset.
        for (at, value) in [(0, 23), (4, 1), (13, 1), (21, 1)] {
            let mut other = hello.clone();
            other[at] = value;
            assert_eq!(in_server_hello(&other), None, "{at}");
        }
    }

    #[test]
    fn disputed_suite_is_not_told() {
        let mut chosen = ChosenSuite::default();
        assert_eq!(chosen.get(), None);
        chosen.note(&server_hello(&[], 0x1301));
        chosen.note(&server_hello(&[], 0x1301));
        assert_eq!(chosen.get(), Some(CipherSuite(0x1301)));
        chosen.note(&server_hello(&[], 0x1302));
        chosen.note(&server_hello(&[], 0x1301));
        assert_eq!(chosen.get(), None);
    }
}
