//! What a listener hears.

use webrtc::rtp::packet::Packet;

/// The frequency in Hz of the tone in these Opus packets.
pub(crate) fn opus_tone(packets: &[Packet]) -> f64 {
    // The first frames hold the codec's delay, and the end of what was there before.
    frequency(&opus_samples(packets)[5 * 960..], 48_000.0)
}

/// What is in these Opus packets: 48 kHz mono, full scale being 1.
pub(crate) fn opus_samples(packets: &[Packet]) -> Vec<f32> {
    let mut decoder = ropus::Decoder::new(48_000, ropus::Channels::Mono).unwrap();
    let mut samples = Vec::new();
    for packet in packets {
        let mut pcm = [0.0f32; 5760];
        let decoded = decoder
            .decode_float(&packet.payload, &mut pcm, ropus::DecodeMode::Normal)
            .unwrap();
        samples.extend_from_slice(&pcm[..decoded]);
    }
    samples
}

/// The frequency in Hz of the tone in these PCMU packets.
pub(crate) fn pcmu_tone(packets: &[Packet]) -> f64 {
    frequency(&pcmu_samples(packets)[5 * 160..], 8000.0)
}

/// What is in these PCMU packets, full scale being 32,124.
pub(crate) fn pcmu_samples(packets: &[Packet]) -> Vec<f32> {
    let codes = packets.iter().flat_map(|packet| packet.payload.iter());
    codes.map(|&code| expand_mu_law(code)).collect()
}

/// ITU-T G.711: sign, three bits of exponent, four of mantissa, all inverted.
fn expand_mu_law(code: u8) -> f32 {
    let code = !code;
    let magnitude = ((i32::from(code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7);
    let sample = (magnitude - 0x84) as f32;
    if code & 0x80 == 0 { sample } else { -sample }
}

/// Counts upward zero crossings, with a hysteresis against noise.
pub(crate) fn frequency(samples: &[f32], rate: f64) -> f64 {
    let peak = samples
        .iter()
        .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    assert!(peak > 0.0, "silence");
    let (mut below, mut crossings) = (false, Vec::new());
    for (index, &sample) in samples.iter().enumerate() {
        if sample < -0.2 * peak {
            below = true;
        } else if below && sample > 0.2 * peak {
            below = false;
            crossings.push(index);
        }
    }
    let (first, last) = (crossings[0], crossings[crossings.len() - 1]);
    (crossings.len() - 1) as f64 * rate / (last - first) as f64
}
