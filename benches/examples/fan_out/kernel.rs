//! What a packet costs with the kernel: the media thread of a real engine, in turns with a bare
//! loop around the send call on the same core.

use crate::args::Args;
use crate::audience::Audience;
use crate::bare_send::BareSend;
use crate::network::Network;
use crate::table::{Bar, Table, median_and_least};
use crate::{core, machine};

/// Measures and prints.
pub(crate) fn measure(args: &Args, network: Network) {
    core::keep_off(args.core);
    let listeners = args.listeners(5000);
    let mut audience = Audience::open(network, args.core, !args.normal);
    println!("\nconnecting {listeners} listeners ...");
    audience.resize(listeners);
    let bare = BareSend::to_all(&audience, network, args.core);
    let (mut ours, mut theirs, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.turns {
        theirs.push(bare.run(args.turn()).cpu_per_packet);
        let window = audience.measure(args.turn());
        assert_ne!(window.packets, 0, "the track plays");
        ours.push(window.cpu_per_packet);
        shares.push(window.cpu_share * 100.0);
    }
    let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs);
    let ratios = median_and_least(ratios.collect());
    let (ours, theirs) = (median_and_least(ours), median_and_least(theirs));

    let (name, turns, load) = (network.name(), args.turns, machine::load());
    let policy = audience.policy();
    let table = Table::new(format!(
        "kernel: {listeners} listeners, {name}, {policy}, {turns} turns; {load}"
    ));
    let rows = [
        ("median", ours.0, theirs.0, ratios.0),
        ("least", ours.1, theirs.1, ours.1 / theirs.1),
    ];
    for (which, ours, theirs, ratio) in rows {
        table.row(
            format!("media thread, {which}"),
            ours,
            "ns/packet",
            Bar::None,
        );
        table.row(
            format!("bare send, {which}"),
            theirs,
            "ns/packet",
            Bar::None,
        );
        table.row(format!("ratio, {which}"), ratio, "", Bar::AtMost(1.12));
    }
    let share = median_and_least(shares).0;
    table.row(
        "media thread's part of its core, median",
        share,
        "%",
        Bar::None,
    );
}
