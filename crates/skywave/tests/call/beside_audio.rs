//! What goes beside audio: redundancy, telephone events, packets sent again.

use std::time::Duration;

use skywave::{AudioTransmitter, Config, Error, RtpConfig};
use skywave_rtp::RedBlocks;
use webrtc::rtp::packet::Packet;

use crate::peer::Listener;
use crate::{assert_tone, call, connected, sound, tone};

#[tokio::test(flavor = "multi_thread")]
async fn redundancy_is_switched_during_the_call() {
    let mut transmitter = transmitter(RtpConfig::default());
    let mut listener = Listener::versatile().await;
    call(&mut transmitter, &listener).await;
    let opus = transmitter.transmission_stats().payload_type.unwrap();
    let mut packets = listener.packets(5).await;
    assert!(packets.iter().all(|packet| is(packet, opus)));
    for (frames, blocks) in [(2, 3), (1, 2)] {
        transmitter.set_redundancy(frames).unwrap();
        let is_switched = |packet: &Packet| !is(packet, opus) && red_blocks(packet).len() == blocks;
        packets.extend(listener.packets_until(is_switched).await);
        packets.extend(listener.packets(5).await);
        assert!(is_switched(&packets[packets.len() - 1]));
    }
    transmitter.set_redundancy(0).unwrap();
    packets.extend(listener.packets_until(|packet| is(packet, opus)).await);
    packets.extend(listener.packets(30).await);

    assert_in_sequence(&packets);
    let primary: Vec<Packet> = packets.iter().map(|packet| primary(packet, opus)).collect();
    assert_tone(sound::opus_tone(&primary), 440.0);
    assert_repeats_what_was_sent(&packets, &primary, opus);
}

#[tokio::test(flavor = "multi_thread")]
async fn redundancy_of_the_configuration_holds_from_the_beginning() {
    let mut transmitter = transmitter(RtpConfig {
        redundancy: 1,
        ..RtpConfig::default()
    });
    let mut listener = Listener::versatile().await;
    let answer = transmitter.accept_offer(&listener.offer().await).unwrap();
    listener.accept_answer(answer).await;
    connected(&transmitter).await;
    let mut packets = listener.packets(10).await;
    transmitter.close().await;

    let stats = transmitter.transmission_stats();
    let missing = usize::try_from(stats.packets_sent).unwrap() - packets.len();
    packets.extend(listener.packets(missing).await);
    let opus = stats.payload_type.unwrap();
    // Nothing was sent before the first packet, so nothing is repeated in it.
    let (first, others) = packets.split_first().unwrap();
    assert!(is(first, opus) || red_blocks(first).len() == 1);
    assert!(others.iter().all(|packet| red_blocks(packet).len() == 2));
    let payload: usize = packets.iter().map(|packet| packet.payload.len()).sum();
    assert_eq!(stats.bytes_sent, payload as u64);
    let redundant: usize = others
        .iter()
        .map(|packet| red_blocks(packet)[0].2.len())
        .sum();
    assert_eq!(stats.redundant_bytes_sent, redundant as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc4733_digits_take_the_place_of_audio_which_then_goes_on() {
    let mut transmitter = transmitter(RtpConfig::default());
    let mut listener = Listener::versatile().await;
    call(&mut transmitter, &listener).await;
    let opus = transmitter.transmission_stats().payload_type.unwrap();
    let mut packets = listener.packets(5).await;
    transmitter.insert_dtmf("1#", DURATION, GAP).unwrap();
    let is_last_digit = |packet: &Packet| !is(packet, opus) && packet.payload[0] == 11;
    packets.extend(listener.packets_until(is_last_digit).await);
    packets.extend(listener.packets(50).await);

    assert_in_sequence(&packets);
    let (audio, events): (Vec<_>, Vec<_>) =
        packets.into_iter().partition(|packet| is(packet, opus));
    let digits: Vec<_> = events
        .chunk_by(|a, b| a.header.timestamp == b.header.timestamp)
        .collect();
    assert_eq!(digits.len(), 2);
    for (packets, event) in digits.into_iter().zip([1, 11]) {
        assert!(packets.iter().all(|packet| packet.payload[0] == event));
        // Set in the first packet of each event alone (RFC 4733 §2.5.1.2).
        let markers = packets.iter().map(|packet| packet.header.marker);
        assert!(
            markers
                .enumerate()
                .all(|(index, marker)| marker == (index == 0))
        );
        let ends: Vec<_> = packets
            .iter()
            .filter(|packet| packet.payload[1] & 0x80 != 0)
            .collect();
        assert_eq!(ends.len(), 3);
        for end in ends {
            assert_eq!(end.payload[2..], 4800_u16.to_be_bytes());
        }
    }
    assert_tone(sound::opus_tone(&audio[audio.len() - 40..]), 440.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_the_peer_asks_for_are_sent_again() {
    let mut transmitter = transmitter(RtpConfig::default());
    let listener = Listener::versatile().await;
    call(&mut transmitter, &listener).await;
    assert_sent_again(&transmitter, listener).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_may_ask_again_where_only_the_offer_says_so() {
    let mut transmitter = transmitter(RtpConfig::default());
    let listener = Listener::versatile().await;
    let answer = listener.answer(transmitter.create_offer().unwrap()).await;
    let lines = answer
        .lines()
        .filter(|line| !line.starts_with("a=rtcp-fb:"));
    let answer: Vec<&str> = lines.collect();
    transmitter.accept_answer(&answer.join("\r\n")).unwrap();
    connected(&transmitter).await;
    assert_sent_again(&transmitter, listener).await;
}

async fn assert_sent_again(transmitter: &AudioTransmitter, mut listener: Listener) {
    let packets = listener.packets(10).await;
    let [wanted, next] = [&packets[7], &packets[8]];
    let number = wanted.header.sequence_number;
    listener.ask_again(wanted.header.ssrc, number).await;
    let is_last = |packet: &Packet| packet.header.sequence_number == next.header.sequence_number;
    let later = listener.packets_until(is_last).await;
    let [.., first, second] = later.as_slice() else {
        panic!("two packets: {later:?}");
    };
    assert_eq!(
        [first, second].map(|packet| &packet.payload),
        [&wanted.payload, &next.payload]
    );
    let stats = transmitter.transmission_stats();
    assert_eq!((stats.nack_count, stats.retransmitted_packets_sent), (1, 2));
    let payload = wanted.payload.len() + next.payload.len();
    assert_eq!(stats.retransmitted_bytes_sent, payload as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_that_agreed_to_nothing_beside_audio_gets_nothing_else() {
    let mut transmitter = transmitter(RtpConfig {
        redundancy: 2,
        ..RtpConfig::default()
    });
    assert_refused(&transmitter);
    let mut listener = Listener::new().await;
    let answer = transmitter.accept_offer(&listener.offer().await).unwrap();
    listener.accept_answer(answer).await;
    connected(&transmitter).await;
    assert_refused(&transmitter);
    let opus = transmitter.transmission_stats().payload_type.unwrap();
    let packets = listener.packets(30).await;
    assert!(packets.iter().all(|packet| is(packet, opus)));
    let last = &packets[29].header;
    listener
        .ask_again(last.ssrc, last.sequence_number.wrapping_sub(1))
        .await;
    listener.packets(20).await;
    let stats = transmitter.transmission_stats();
    assert_eq!(
        (stats.redundant_bytes_sent, stats.retransmitted_packets_sent),
        (0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused_with_its_reason() {
    let mut transmitter = transmitter(RtpConfig::default());
    let listener = Listener::versatile().await;
    call(&mut transmitter, &listener).await;
    let refused = transmitter.set_redundancy(3);
    assert!(
        matches!(refused, Err(Error::InvalidRedundancy(3))),
        "{refused:?}"
    );
    let short = Duration::from_millis(1);
    for (digits, duration, gap) in [
        ("1E", DURATION, GAP),
        ("1", short, GAP),
        ("1", DURATION, short),
    ] {
        let refused = transmitter.insert_dtmf(digits, duration, gap);
        assert!(matches!(refused, Err(Error::InvalidDtmf(_))), "{refused:?}");
    }
    transmitter.close().await;
    let closed = transmitter.set_redundancy(1);
    assert!(matches!(closed, Err(Error::Closed)), "{closed:?}");
    let closed = transmitter.insert_dtmf("1", DURATION, GAP);
    assert!(matches!(closed, Err(Error::Closed)), "{closed:?}");
}

#[test]
fn offer_says_what_the_configuration_allows() {
    let lines = [
        "abs-send-time",
        "abs-capture-time",
        "transport-wide-cc",
        "a=cryptex",
        " nack\r\n",
        " rtx/48000",
    ];
    let said = |rtp| {
        let offer = transmitter(rtp).create_offer().unwrap();
        lines.map(|line| offer.contains(line))
    };
    assert_eq!(
        said(RtpConfig::default()),
        [false, false, false, true, true, true]
    );
    assert_eq!(said(NOTHING), [false; 6]);
    let everything = RtpConfig {
        abs_send_time: true,
        abs_capture_time: true,
        transport_cc: true,
        ..RtpConfig::default()
    };
    assert_eq!(said(everything), [true; 6]);
}

fn transmitter(rtp: RtpConfig) -> AudioTransmitter {
    let mut config = Config::default();
    config.track.rtp = rtp;
    let transmitter = AudioTransmitter::new(config).unwrap();
    transmitter.start_transmission(tone(440.0));
    transmitter
}

fn is(packet: &Packet, payload_type: u8) -> bool {
    packet.header.payload_type == payload_type
}

/// Payload type, age in ticks and octets of each block.
fn red_blocks(packet: &Packet) -> Vec<(u8, u16, &[u8])> {
    let blocks = RedBlocks::parse(&packet.payload).unwrap();
    blocks
        .map(|block| (block.payload_type, block.timestamp_offset, block.data))
        .collect()
}

/// The packet without redundancy.
fn primary(packet: &Packet, opus: u8) -> Packet {
    let mut primary = packet.clone();
    if !is(packet, opus) {
        let (payload_type, _, data) = *red_blocks(packet).last().unwrap();
        assert_eq!(payload_type, opus);
        primary.payload = data.to_vec().into();
    }
    primary
}

fn assert_in_sequence(packets: &[Packet]) {
    for pair in packets.windows(2) {
        let [before, after] = [&pair[0].header, &pair[1].header];
        assert_eq!(after.ssrc, before.ssrc);
        assert_eq!(
            after.sequence_number,
            before.sequence_number.wrapping_add(1)
        );
    }
}

/// Block by block, newest first behind the primary, against the packets before.
fn assert_repeats_what_was_sent(packets: &[Packet], primary: &[Packet], opus: u8) {
    for (index, packet) in packets
        .iter()
        .enumerate()
        .filter(|(_, packet)| !is(packet, opus))
    {
        for (age, block) in red_blocks(packet).into_iter().rev().enumerate().skip(1) {
            let [repeated, now] = [&primary[index - age], &primary[index]];
            // A frame that this machine was too busy to make leaves its time out.
            let ticks = now.header.timestamp.wrapping_sub(repeated.header.timestamp);
            let ticks = u16::try_from(ticks).unwrap();
            assert_eq!(block, (opus, ticks, &repeated.payload[..]));
        }
    }
}

fn assert_refused(transmitter: &AudioTransmitter) {
    let refused = transmitter.set_redundancy(1);
    assert!(matches!(refused, Err(Error::NotAgreed(_))), "{refused:?}");
    let refused = transmitter.insert_dtmf("1", DURATION, GAP);
    assert!(matches!(refused, Err(Error::NotAgreed(_))), "{refused:?}");
}

const DURATION: Duration = Duration::from_millis(100);
const GAP: Duration = Duration::from_millis(70);

const NOTHING: RtpConfig = RtpConfig {
    abs_send_time: false,
    abs_capture_time: false,
    transport_cc: false,
    encrypted_headers: false,
    retransmission: false,
    redundancy: 0,
    adaptive_redundancy: false,
};
