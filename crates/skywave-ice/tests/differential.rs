//! Our reader and writer against those of `stun_codec`, with a fresh decoder for every datagram.
#![allow(clippy::unwrap_used, missing_docs)]

use std::net::SocketAddr;

use bytecodec::{DecodeExt, EncodeExt};
use proptest::prelude::*;
use skywave_ice::{BINDING, Class, IntegrityKey, StunMessage, StunWriter};
use stun_codec::rfc5245::attributes::{IceControlled, IceControlling, Priority, UseCandidate};
use stun_codec::rfc5389::attributes::{
    ErrorCode, Fingerprint, MessageIntegrity, UnknownAttributes, Username, XorMappedAddress,
};
use stun_codec::{
    AttributeType, Message, MessageClass, MessageDecoder, MessageEncoder, Method, TransactionId,
    define_attribute_enums,
};

define_attribute_enums!(
    Attribute,
    AttributeDecoder,
    AttributeEncoder,
    [
        Username,
        MessageIntegrity,
        ErrorCode,
        UnknownAttributes,
        XorMappedAddress,
        Priority,
        UseCandidate,
        IceControlled,
        IceControlling,
        Fingerprint
    ]
);

/// What a message may carry, each attribute at most once.
#[derive(Clone, Debug)]
struct Content {
    class: Class,
    transaction_id: [u8; 12],
    username: Option<String>,
    priority: Option<u32>,
    use_candidate: bool,
    ice_controlling: Option<u64>,
    ice_controlled: Option<u64>,
    error_code: Option<u16>,
    xor_mapped_address: Option<SocketAddr>,
    unknown_attributes: Option<Vec<u16>>,
    password: String,
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![
        Just(Class::Request),
        Just(Class::Indication),
        Just(Class::Success),
        Just(Class::Error)
    ]
}

fn address() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        any::<([u8; 4], u16)>().prop_map(SocketAddr::from),
        any::<([u16; 8], u16)>()
            .prop_map(SocketAddr::from)
            .prop_filter("written as IPv4", |address| {
                address.ip().to_canonical() == address.ip()
            }),
    ]
}

prop_compose! {
    fn content()(
        class in class(),
        transaction_id: [u8; 12],
        username in proptest::option::of("[a-zA-Z0-9+/]{4,40}:[a-zA-Z0-9+/]{4,40}"),
        priority: Option<u32>,
        use_candidate: bool,
        (ice_controlling, ice_controlled) in any::<(Option<u64>, Option<u64>)>(),
        error_code in proptest::option::of(300_u16..600),
        xor_mapped_address in proptest::option::of(address()),
        unknown_attributes in proptest::option::of(proptest::collection::vec(any::<u16>(), 0..9)),
        password in "[a-zA-Z0-9+/]{22,100}",
    ) -> Content {
        Content {
            class, transaction_id, username, priority, use_candidate, ice_controlling,
            ice_controlled, error_code, xor_mapped_address, unknown_attributes, password,
        }
    }
}

/// Reserved bits are zero: the oracle checks FINGERPRINT over the message as it would write it.
/// Types and lengths are such that many attributes are right. Codes of 600 and more, which RFC
/// 8489 has, are unknown to the oracle.
fn attribute() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let bytes = |len| proptest::collection::vec(0_u8..5, len);
    let len = prop_oneof![Just(0_usize), Just(4), Just(8), Just(20), 0_usize..21];
    let kind = proptest::sample::select(&[
        0x0006_u16, 0x0009, 0x0020, 0x0024, 0x0025, 0x7f01, 0x8029, 0x802a, 0xc057,
    ]);
    (kind, len.prop_flat_map(bytes)).prop_map(|(kind, mut value)| {
        match kind {
            0x0009 => value.iter_mut().take(2).for_each(|reserved| *reserved = 0),
            0x0020 => value.iter_mut().take(1).for_each(|reserved| *reserved = 0),
            _ => {}
        }
        (kind, value)
    })
}

fn write(content: &Content) -> Vec<u8> {
    let mut buffer = vec![0; 1024];
    let transaction_id = content.transaction_id;
    let mut writer = StunWriter::new(&mut buffer, content.class, BINDING, transaction_id);
    content
        .username
        .iter()
        .for_each(|name| writer.username(name));
    content
        .priority
        .iter()
        .for_each(|priority| writer.priority(*priority));
    if content.use_candidate {
        writer.use_candidate();
    }
    content
        .ice_controlling
        .iter()
        .for_each(|tie| writer.ice_controlling(*tie));
    content
        .ice_controlled
        .iter()
        .for_each(|tie| writer.ice_controlled(*tie));
    content
        .error_code
        .iter()
        .for_each(|code| writer.error_code(*code));
    content
        .xor_mapped_address
        .iter()
        .for_each(|addr| writer.xor_mapped_address(*addr));
    content
        .unknown_attributes
        .iter()
        .for_each(|types| writer.unknown_attributes(types));
    let len = writer
        .finish(Some(&IntegrityKey::new(&content.password)))
        .unwrap();
    buffer.truncate(len);
    buffer
}

fn oracle_message(content: &Content) -> Message<Attribute> {
    let class = match content.class {
        Class::Request => MessageClass::Request,
        Class::Indication => MessageClass::Indication,
        Class::Success => MessageClass::SuccessResponse,
        Class::Error => MessageClass::ErrorResponse,
    };
    let method = Method::new(BINDING).unwrap();
    let mut message = Message::new(class, method, TransactionId::new(content.transaction_id));
    if let Some(name) = &content.username {
        message.add_attribute(Username::new(name.clone()).unwrap());
    }
    if let Some(priority) = content.priority {
        message.add_attribute(Priority::new(priority));
    }
    if content.use_candidate {
        message.add_attribute(UseCandidate::new());
    }
    if let Some(tie_breaker) = content.ice_controlling {
        message.add_attribute(IceControlling::new(tie_breaker));
    }
    if let Some(tie_breaker) = content.ice_controlled {
        message.add_attribute(IceControlled::new(tie_breaker));
    }
    if let Some(code) = content.error_code {
        message.add_attribute(ErrorCode::new(code, String::new()).unwrap());
    }
    if let Some(address) = content.xor_mapped_address {
        message.add_attribute(XorMappedAddress::new(address));
    }
    if let Some(types) = &content.unknown_attributes {
        let types = types.iter().copied().map(AttributeType::new).collect();
        message.add_attribute(UnknownAttributes::new(types));
    }
    let integrity = MessageIntegrity::new_short_term_credential(&message, &content.password);
    message.add_attribute(integrity.unwrap());
    let fingerprint = Fingerprint::new(&message).unwrap();
    message.add_attribute(fingerprint);
    message
}

fn oracle_decode(datagram: &[u8]) -> Option<Message<Attribute>> {
    MessageDecoder::new().decode_from_bytes(datagram).ok()?.ok()
}

fn assert_reads(datagram: &[u8], content: &Content) -> Result<(), TestCaseError> {
    let message = StunMessage::parse(datagram).unwrap();
    prop_assert!(message.fingerprint_ok());
    prop_assert!(message.verify_integrity(&IntegrityKey::new(&content.password)));
    prop_assert!(!message.verify_integrity(&IntegrityKey::new("another password")));
    prop_assert_eq!(message.class(), content.class);
    prop_assert_eq!(message.method(), BINDING);
    prop_assert_eq!(message.transaction_id(), content.transaction_id);
    prop_assert_eq!(
        message.username(),
        content.username.as_deref().map(str::as_bytes)
    );
    prop_assert_eq!(message.priority(), content.priority);
    prop_assert_eq!(message.use_candidate(), content.use_candidate);
    prop_assert_eq!(message.ice_controlling(), content.ice_controlling);
    prop_assert_eq!(message.ice_controlled(), content.ice_controlled);
    prop_assert_eq!(message.error_code(), content.error_code);
    prop_assert_eq!(message.xor_mapped_address(), content.xor_mapped_address);
    prop_assert!(message.unknown_attributes().is_empty());
    Ok(())
}

proptest! {
    #[test]
    fn both_write_the_same_bytes_and_we_read_them(content in content()) {
        let theirs = MessageEncoder::new().encode_into_bytes(oracle_message(&content)).unwrap();
        prop_assert_eq!(&theirs, &write(&content));
        assert_reads(&theirs, &content)?;
    }

    #[test]
    fn the_oracle_reads_what_we_write(content in content()) {
        let message = oracle_decode(&write(&content)).unwrap();
        let integrity = message.get_attribute::<MessageIntegrity>().unwrap();
        prop_assert!(integrity.check_short_term_credential(&content.password).is_ok());
        prop_assert!(message.attributes().eq(oracle_message(&content).attributes()));
    }

    #[test]
    fn both_accept_the_same_attributes(
        attributes in proptest::collection::vec(attribute(), 0..4),
    ) {
        let mut buffer = [0; 256];
        let mut writer = StunWriter::new(&mut buffer, Class::Request, BINDING, [4; 12]);
        attributes.iter().for_each(|(kind, value)| writer.attribute(*kind, value));
        let len = writer.finish(Some(&IntegrityKey::new("password"))).unwrap();
        let ours = StunMessage::parse(&buffer[..len]);
        let theirs = oracle_decode(&buffer[..len]);
        prop_assert_eq!(ours.is_ok(), theirs.is_some(), "{:?}", ours.err());
        if let (Ok(ours), Some(theirs)) = (ours, theirs) {
            let username = theirs.get_attribute::<Username>().map(Username::name);
            prop_assert_eq!(ours.username(), username.map(str::as_bytes));
            let priority = theirs.get_attribute::<Priority>().map(Priority::prio);
            prop_assert_eq!(ours.priority(), priority);
            let code = theirs.get_attribute::<ErrorCode>().map(ErrorCode::code);
            prop_assert_eq!(ours.error_code(), code);
            let address = theirs.get_attribute::<XorMappedAddress>();
            prop_assert_eq!(ours.xor_mapped_address(), address.map(XorMappedAddress::address));
            let use_candidate = theirs.get_attribute::<UseCandidate>().is_some();
            prop_assert_eq!(ours.use_candidate(), use_candidate);
        }
    }
}
