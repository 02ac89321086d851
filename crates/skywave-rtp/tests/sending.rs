//! For all inputs: what is sent is read back as it was meant, and what is sent once more is what
//! was sent before.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use skywave_rtp::{
    ComfortNoise, Counters, Departure, Error, ExtensionIds, History, MAX_HEADER_LEN, Mid, NtpTime,
    OwnedFrame, Packetizer, PacketizerConfig, Packing, RedBlocks, RtpPacket, RtxConfig,
    RtxPacketizer, SentLog, TelephoneEvent, ToneSender, Written,
};

/// Any set of extensions, with low ids in the one-byte form and with others in the two-byte form.
fn extension_ids() -> impl Strategy<Value = ExtensionIds> {
    let ids = Just((1..=14).collect::<Vec<u8>>()).prop_shuffle();
    let ids = (ids, prop_oneof![Just(0_u8), 0_u8..=241]);
    (ids, option::of("[a-z0-9]{1,16}"), any::<[bool; 4]>()).prop_map(|((ids, base), mid, used)| {
        let id = |place: usize| ids[place] + base;
        let used_id = |place: usize| used[place].then(|| id(place));
        ExtensionIds {
            mid: mid.map(|mid| Mid::new(id(4), &mid).unwrap()),
            audio_level: used_id(0),
            abs_send_time: used_id(1),
            abs_capture_time: used_id(2),
            transport_cc: used_id(3),
        }
    })
}

fn frame(octets: usize) -> impl Strategy<Value = OwnedFrame> {
    let payload = vec(any::<u8>(), 0..=octets);
    (payload, any::<(u32, bool, bool, u64)>(), 0_u8..=127).prop_map(
        |(payload, (timestamp, marker, voice, captured), audio_level)| OwnedFrame {
            payload: payload.into(),
            comfort_noise: false,
            timestamp,
            duration: 960,
            marker,
            audio_level,
            voice,
            captured: NtpTime(captured),
        },
    )
}

fn departure() -> impl Strategy<Value = Departure> {
    any::<(u64, u16)>().prop_map(|(time, transport_number)| Departure {
        time: NtpTime(time),
        transport_number,
    })
}

/// What happens at one frame time.
#[derive(Clone, Debug)]
enum Step {
    Send(Packing, usize),
    Noise,
    /// Somebody else gets this frame.
    Skip,
    Tone,
    Interrupt,
}

fn step() -> impl Strategy<Value = Step> {
    let red = Packing::Red {
        payload_type: 63,
        redundancy: 2,
    };
    let packing = prop_oneof![
        3 => Just(Packing::Plain),
        5 => Just(red),
    ];
    // Room for the longest frame, and for more or less redundancy.
    let room = MAX_HEADER_LEN + 31..200;
    prop_oneof![
        8 => (packing, room).prop_map(|(packing, room)| Step::Send(packing, room)),
        1 => Just(Step::Noise),
        1 => Just(Step::Skip),
        1 => Just(Step::Tone),
        1 => Just(Step::Interrupt),
    ]
}

fn config(extensions: ExtensionIds) -> PacketizerConfig {
    PacketizerConfig {
        ssrc: 0x1234_5678,
        payload_type: 111,
        comfort_noise: Some(13),
        first_sequence_number: 65_500,
        timestamp_offset: u32::MAX - 20_000,
        extensions,
    }
}

/// More than the history is deep, where that does not take long.
const MAX_STEPS: usize = if cfg!(miri) { 12 } else { 120 };

/// Few cases where each takes long.
fn cases() -> ProptestConfig {
    if cfg!(miri) {
        // There are no files to keep failures in.
        return ProptestConfig {
            cases: 3,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
    }
    ProptestConfig::default()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn packet_is_read_back_as_written(
        (ssrc, offset, sequence) in any::<(u32, u32, u16)>(),
        payload_type in prop_oneof![0_u8..64, 96_u8..128],
        extensions in extension_ids(),
        frame in frame(300),
        departure in departure(),
    ) {
        let config = PacketizerConfig {
            ssrc,
            payload_type,
            comfort_noise: None,
            first_sequence_number: sequence,
            timestamp_offset: offset,
            extensions,
        };
        let mut packetizer = Packetizer::new(config, Arc::new(Counters::default())).unwrap();
        let mut history = History::default();
        let number = history.push(frame.clone());
        let mut buffer = [0xee; 400];
        let written = packetizer.write(&history, number, Packing::Plain, departure, &mut buffer);
        let written = written.unwrap();

        prop_assert!(written.header_len <= MAX_HEADER_LEN);
        let view = RtpPacket::parse(&buffer[..written.len]).unwrap();
        prop_assert_eq!((view.ssrc(), view.payload_type()), (ssrc, payload_type));
        prop_assert_eq!((view.sequence_number(), view.marker()), (sequence, frame.marker));
        prop_assert_eq!(view.timestamp(), frame.timestamp.wrapping_add(offset));
        prop_assert_eq!(view.payload(), &frame.payload[..]);

        let level = [u8::from(frame.voice) << 7 | frame.audio_level];
        let seconds = (departure.time.0 >> 14 & 0xff_ffff) as u32;
        let transport = departure.transport_number.to_be_bytes();
        let captured = frame.captured.0.to_be_bytes();
        let mut expected: Vec<(u8, &[u8])> = Vec::new();
        let seconds = seconds.to_be_bytes();
        expected.extend(extensions.audio_level.map(|id| (id, &level[..])));
        expected.extend(extensions.abs_send_time.map(|id| (id, &seconds[1..])));
        expected.extend(extensions.transport_cc.map(|id| (id, &transport[..])));
        expected.extend(extensions.mid.as_ref().map(|mid| (mid.extension_id(), mid.as_bytes())));
        expected.extend(extensions.abs_capture_time.map(|id| (id, &captured[..])));
        let elements: Vec<_> = view.extensions().map(|element| (element.id, element.data)).collect();
        prop_assert_eq!(elements, expected);
    }

    #[test]
    fn red_payload_is_read_back_as_frames(
        frames in vec((vec(any::<u8>(), 0..1100), 0_u32..20_000), 1..8),
        redundancy in 0_u8..=2,
        room in 1113_usize..4000,
    ) {
        let mut packetizer =
            Packetizer::new(config(ExtensionIds::default()), Arc::default()).unwrap();
        let mut history = History::default();
        let mut sent: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut timestamp = 0_u32;
        for (payload, step) in frames {
            timestamp += step;
            let number = history.push(OwnedFrame {
                payload: payload.clone().into(),
                comfort_noise: false,
                timestamp,
                duration: 960,
                marker: false,
                audio_level: 0,
                voice: false,
                captured: NtpTime(0),
            });
            sent.push((timestamp, payload));
            let packing = Packing::Red { payload_type: 63, redundancy };
            let mut buffer = vec![0; room];
            let departure = Departure::default();
            let written = packetizer.write(&history, number, packing, departure, &mut buffer);
            let view = RtpPacket::parse(&buffer[..written.unwrap().len]).unwrap();
            let blocks: Vec<_> = RedBlocks::parse(view.payload()).unwrap().collect();

            prop_assert!(blocks.len() <= 1 + usize::from(redundancy));
            prop_assert_eq!(blocks.last().unwrap().data, &sent.last().unwrap().1[..]);
            for block in &blocks {
                let frame = (timestamp - u32::from(block.timestamp_offset), block.data.to_vec());
                prop_assert!(sent.iter().rev().take(3).any(|sent| *sent == frame));
            }
            prop_assert!(blocks.is_sorted_by(|a, b| a.timestamp_offset > b.timestamp_offset));
        }
    }

    #[test]
    fn rfc3711_3_3_2_packet_sent_again_is_the_same_octets(
        extensions in extension_ids(),
        steps in vec((step(), frame(30), departure(), any::<u8>()), 1..=MAX_STEPS),
    ) {
        let counters = Arc::new(Counters::default());
        let mut packetizer = Packetizer::new(config(extensions), Arc::clone(&counters)).unwrap();
        let rtx = RtxConfig { ssrc: 9, payload_type: 112, first_sequence_number: 0, extensions };
        let mut rtx = RtxPacketizer::new(rtx, Arc::default()).unwrap();
        let mut tones = ToneSender::new(ToneSender::ALL_DIGITS);
        tones.insert(&"1".repeat(200), Duration::from_millis(40), Duration::from_millis(30)).unwrap();
        let mut history = History::default();
        let mut log = SentLog::default();
        let mut sent: Vec<(u16, Vec<u8>)> = Vec::new();

        for (n, (step, mut frame, departure, again)) in steps.into_iter().enumerate() {
            frame.timestamp = n as u32 * 960;
            frame.comfort_noise = matches!(step, Step::Noise);
            let timestamp = frame.timestamp;
            let number = history.push(frame);
            let sequence_number = packetizer.next_sequence_number();
            let mut buffer = [0; 200];
            let written: Result<Written, Error> = match step {
                Step::Skip => continue,
                Step::Interrupt => { packetizer.interrupt(); continue }
                Step::Send(packing, room) => {
                    packetizer.write(&history, number, packing, departure, &mut buffer[..room])
                }
                Step::Noise => {
                    packetizer.write(&history, number, Packing::Plain, departure, &mut buffer)
                }
                Step::Tone => match tones.poll(timestamp, 960, 48_000) {
                    Some(tone) => packetizer.write_tone(tone, 126, departure, &mut buffer),
                    None => continue,
                },
            };
            let written = written.unwrap();
            log.record(&written);
            sent.push((sequence_number, buffer[..written.len].to_vec()));

            let before = counters.snapshot();
            let back = usize::from(again) % sent.len().min(SentLog::DEPTH);
            let (number_before, original) = &sent[sent.len() - 1 - back];
            let packet = log.find(*number_before).unwrap();
            let mut buffer = [0xee; 200];
            let Ok(rebuilt) = packetizer.rebuild(&history, packet, &mut buffer) else {
                // Only where frames left the history before their packets left the log.
                prop_assert!(n >= History::DEPTH);
                continue;
            };
            prop_assert_eq!(&buffer[..rebuilt.len], &original[..]);
            prop_assert!(buffer[rebuilt.len..].iter().all(|&octet| octet == 0xee));

            let written = rtx.write(&packetizer, &history, packet, departure, &mut buffer).unwrap();
            let repeated = RtpPacket::parse(&buffer[..written.len]).unwrap();
            let original = RtpPacket::parse(original).unwrap();
            prop_assert_eq!(&repeated.payload()[..2], &number_before.to_be_bytes());
            prop_assert_eq!(&repeated.payload()[2..], original.payload());
            prop_assert_eq!(repeated.timestamp(), original.timestamp());
            prop_assert_eq!(repeated.marker(), original.marker());
            prop_assert_eq!(counters.snapshot(), before);
            prop_assert_eq!(packetizer.next_sequence_number(), sequence_number.wrapping_add(1));
        }
    }

    #[test]
    fn retransmissions_stay_a_quarter_of_what_was_sent(
        nacks in vec((any::<bool>(), 0_u16..100, 0_u64..300), 1..400),
    ) {
        let mut packetizer =
            Packetizer::new(config(ExtensionIds::default()), Arc::default()).unwrap();
        let mut history = History::default();
        let mut log = SentLog::default();
        let (mut now, mut media, mut again) = (Instant::now(), 0, 0);
        for (send, back, millis) in nacks {
            now += Duration::from_millis(millis);
            let mut buffer = [0; 200];
            if send {
                let number = history.push(OwnedFrame {
                    payload: vec![1; usize::from(back)].into(),
                    comfort_noise: false,
                    timestamp: 0,
                    duration: 960,
                    marker: false,
                    audio_level: 0,
                    voice: false,
                    captured: NtpTime(0),
                });
                let departure = Departure::default();
                let written = packetizer.write(&history, number, Packing::Plain, departure, &mut buffer);
                log.record(&written.unwrap());
                media += written.unwrap().len;
                continue;
            }
            let wanted = packetizer.next_sequence_number().wrapping_sub(back);
            if let Ok(packet) = log.retransmission(wanted, now, Some(Duration::from_millis(50))) {
                prop_assert_eq!(packet.sequence_number(), wanted);
                again += packetizer.retransmit(&history, &packet, &mut buffer).unwrap().len;
            }
        }
        prop_assert!(again <= media / 4 + 1200);
    }

    #[test]
    fn tone_lasts_as_long_as_it_should(
        millis in 40_u64..=8000,
        first in any::<u32>(),
        clock in prop_oneof![
            Just((20, 8000)), Just((160, 8000)), Just((960, 8000)),
            Just((120, 48_000)), Just((960, 48_000)), Just((5760, 48_000)),
        ],
    ) {
        let (frame_len, rate) = clock;
        let mut tones = ToneSender::new(ToneSender::ALL_DIGITS);
        tones.insert("7", Duration::from_millis(millis), ToneSender::DEFAULT_GAP).unwrap();
        let mut timestamp = first;
        let (mut lasted, mut ends, mut segment) = (0, 0, None);
        while let Some(tone) = tones.poll(timestamp, frame_len, rate) {
            timestamp = timestamp.wrapping_add(frame_len);
            prop_assert!(tone.event.duration > 0);
            prop_assert_eq!(tone.marker, segment.is_none());
            prop_assert_eq!(TelephoneEvent::parse(&tone.event.to_bytes()), Ok(tone.event));
            if let Some((start, duration)) = segment && start != tone.timestamp {
                lasted += duration;
            }
            segment = Some((tone.timestamp, u32::from(tone.event.duration)));
            prop_assert_eq!(tone.timestamp.wrapping_sub(first), lasted);
            ends += u32::from(tone.event.end);
        }
        let lasted = lasted + segment.unwrap().1;
        prop_assert_eq!((u64::from(lasted), ends), (millis * u64::from(rate) / 1000, 3));
    }

    #[test]
    fn arbitrary_payloads_are_read_without_a_panic(payload in vec(any::<u8>(), 0..100)) {
        if let Ok(blocks) = RedBlocks::parse(&payload) {
            let read: usize = blocks.map(|block| block.data.len()).sum();
            prop_assert!(read < payload.len(), "all but the headers");
        }
        prop_assert_eq!(TelephoneEvent::parse(&payload).is_ok(), payload.len() >= 4);
        prop_assert_eq!(ComfortNoise::parse(&payload).is_ok(), !payload.is_empty());
    }
}
