//! DTLS-SRTP keying: a handshake in, SRTP keys and the peer's fingerprint out.
