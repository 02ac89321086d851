//! A payload of redundant audio data of a stranger (RFC 2198), read and written again.

use std::sync::Arc;

use skywave_rtp::{
    Counters, Departure, ExtensionIds, History, MAX_HEADER_LEN, NtpTime, OwnedFrame, Packetizer,
    PacketizerConfig, Packing, RedBlock, RedBlocks, RtpPacket,
};

use crate::view::place;

/// Reads the payload in `data`; true if it is one.
///
/// # Panics
/// If a block is not what its header says, the blocks do not lie one behind the other up to the
/// end, or those that our own sender can repeat are read otherwise.
pub fn red(data: &[u8]) -> bool {
    let Ok(mut reader) = RedBlocks::parse(data) else {
        return false;
    };
    let blocks: Vec<_> = reader.by_ref().collect();
    assert_eq!(reader.next(), None, "the end is the end");
    let (primary, redundant) = blocks.split_last().expect("there is a primary block");
    let mut header_at = 0;
    let mut data_at = 4 * redundant.len() + 1;
    for block in redundant {
        assert_eq!(header(block), data[header_at..header_at + 4]);
        assert_eq!(place(data, block.data).start, data_at);
        header_at += 4;
        data_at += block.data.len();
    }
    assert_eq!(
        (primary.payload_type, primary.timestamp_offset),
        (data[header_at], 0)
    );
    assert_eq!(place(data, primary.data), data_at..data.len());
    assert_written_again(primary, redundant);
    true
}

/// F bit and payload type, 14 bits of offset, 10 bits of length (RFC 2198 §3).
fn header(block: &RedBlock<'_>) -> [u8; 4] {
    assert!(block.payload_type < 128 && block.timestamp_offset < 1 << 14);
    let len = u32::try_from(block.data.len()).expect("blocks are short");
    assert!(len < 1 << 10);
    let offset = u32::from(block.timestamp_offset) << 10;
    (1 << 31 | u32::from(block.payload_type) << 24 | offset | len).to_be_bytes()
}

/// Sends the youngest blocks as frames of a stream, the last one with those before it repeated.
fn assert_written_again(primary: &RedBlock<'_>, redundant: &[RedBlock<'_>]) {
    let repeated = usize::from(Packing::MAX_REDUNDANCY).min(redundant.len());
    let repeated = &redundant[redundant.len() - repeated..];
    let config = PacketizerConfig {
        ssrc: 7,
        payload_type: PAYLOAD_TYPE,
        comfort_noise: None,
        first_sequence_number: 1,
        timestamp_offset: 0,
        extensions: ExtensionIds::default(),
    };
    let packetizer = Packetizer::new(config, Arc::new(Counters::default()));
    let mut packetizer = packetizer.expect("the payload type can be sent");
    let mut history = History::default();
    let packing = Packing::Red {
        payload_type: 63,
        redundancy: Packing::MAX_REDUNDANCY,
    };
    let mut buffer = vec![0; MAX_HEADER_LEN + 3 * 1024 + primary.data.len()];
    let mut len = 0;
    for block in repeated.iter().chain([primary]) {
        let number = history.push(OwnedFrame {
            payload: block.data.into(),
            comfort_noise: false,
            timestamp: NOW - u32::from(block.timestamp_offset),
            duration: 960,
            marker: false,
            audio_level: 0,
            voice: false,
            captured: NtpTime(0),
        });
        let written = packetizer.write(&history, number, packing, DEPARTURE, &mut buffer);
        len = written.expect("it fits").len;
    }
    let packet = RtpPacket::parse(&buffer[..len]).expect("our own packet can be read");
    let again = RedBlocks::parse(packet.payload()).expect("our own payload can be read");
    // What is no older than the block behind it is not repeated.
    let mut oldest = 0;
    let mut expected: Vec<&RedBlock<'_>> = vec![primary];
    for block in repeated.iter().rev() {
        if block.timestamp_offset > oldest {
            oldest = block.timestamp_offset;
            expected.push(block);
        }
    }
    let expected = expected.into_iter().rev().map(|block| RedBlock {
        payload_type: PAYLOAD_TYPE,
        ..*block
    });
    assert!(again.eq(expected));
}

const PAYLOAD_TYPE: u8 = 111;
const DEPARTURE: Departure = Departure {
    time: NtpTime(0),
    transport_number: 0,
};
/// Later than any offset.
const NOW: u32 = 1 << 14;
