//! The ratios by which the packet path is judged, from the figures criterion left.
//!
//! Only figures of one run are compared: machines and their loads differ. Criterion is asked for
//! nothing, its `estimates.json` are read as text, so that this program keeps without dependencies.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::runner::target;

/// Ours, measured against something else.
struct Ratio {
    ours: Figure,
    to: Figure,
    /// What it shall not exceed.
    at_most: f64,
}

/// A bench, of payloads of 160 octets.
#[derive(Clone, Copy)]
struct Figure {
    group: &'static str,
    candidate: &'static str,
}

/// Prints a table of those whose figures were measured since `started`.
pub(crate) fn print(started: SystemTime) -> Result<(), Failure> {
    let criterion = target()?.join("criterion");
    println!("\n| ours, ns | to, ns | ratio | bar | |\n|---|---|---|---|---|");
    for ratio in &RATIOS {
        println!("{}", ratio.row(&criterion, started));
    }
    Ok(())
}

impl Ratio {
    fn row(&self, criterion: &Path, started: SystemTime) -> String {
        let figures = [self.ours, self.to].map(|figure| figure.nanoseconds(criterion, started));
        let cells =
            [self.ours, self.to].map(|figure| format!("{} {}", figure.group, figure.candidate));
        let [ours, to] = cells;
        let bar = self.at_most;
        let [Some(our_time), Some(their_time)] = figures else {
            return format!("| {ours} | {to} | | {bar:.2} | not measured in this run |");
        };
        let ratio = our_time / their_time;
        let verdict = if ratio <= bar { "holds" } else { "MISSED" };
        format!(
            "| {ours} {our_time:.1} | {to} {their_time:.1} | {ratio:.2} | {bar:.2} | {verdict} |"
        )
    }
}

impl Figure {
    /// The median of the run that began at `started`; none if that did not measure it.
    fn nanoseconds(self, criterion: &Path, started: SystemTime) -> Option<f64> {
        let folder = criterion.join(self.group).join(self.candidate);
        let estimates = folder.join("160/new/estimates.json");
        let modified = fs::metadata(&estimates).ok()?.modified().ok()?;
        if modified < started {
            return None;
        }
        median(&fs::read_to_string(estimates).ok()?)
    }
}

/// The point estimate of the median in an `estimates.json`.
fn median(estimates: &str) -> Option<f64> {
    let (_, median) = estimates.split_once("\"median\":")?;
    let (_, estimate) = median.split_once("\"point_estimate\":")?;
    let (estimate, _) = estimate.split_once([',', '}'])?;
    estimate.trim().parse().ok()
}

const fn ratio(ours: Figure, to: Figure, at_most: f64) -> Ratio {
    Ratio { ours, to, at_most }
}

const fn figure(group: &'static str, candidate: &'static str) -> Figure {
    Figure { group, candidate }
}

const RATIOS: [Ratio; 16] = [
    ratio(HOT_GCM, figure(HOT_GCM.group, "bare_ring"), 1.15),
    ratio(HOT_GCM, figure(HOT_GCM.group, "libsrtp"), 0.75),
    ratio(HOT_GCM, figure(HOT_GCM.group, "webrtc-srtp"), 0.27),
    ratio(HOT_GCM, figure(HOT_GCM.group, "rtc-srtp"), 0.55),
    ratio(HOT_GCM, figure(HOT_GCM.group, "str0m"), 0.55),
    ratio(IN_ORDER_GCM, HOT_GCM, 1.15),
    ratio(SHUFFLED_GCM, HOT_GCM, 1.15),
    ratio(SHUFFLED_GCM, figure(SHUFFLED_GCM.group, "libsrtp"), 0.15),
    ratio(SHUFFLED_GCM, figure(SHUFFLED_GCM.group, "rtc-srtp"), 0.40),
    ratio(SHUFFLED_GCM, figure(SHUFFLED_GCM.group, "str0m"), 0.45),
    ratio(HOT_CM, figure(HOT_CM.group, "bare_aes_sha1"), 1.15),
    ratio(HOT_CM, figure(HOT_CM.group, "webrtc-srtp"), 0.70),
    ratio(HOT_CM, figure(HOT_CM.group, "libsrtp"), 0.90),
    ratio(HOT_CM, figure(HOT_CM.group, "str0m"), 0.40),
    ratio(IN_ORDER_CM, HOT_CM, 1.15),
    ratio(SHUFFLED_CM, HOT_CM, 1.15),
];

const HOT_GCM: Figure = figure("hot_AEAD_AES_128_GCM", OURS);
const IN_ORDER_GCM: Figure = figure("in_order_AEAD_AES_128_GCM", OURS);
const SHUFFLED_GCM: Figure = figure("shuffled_AEAD_AES_128_GCM", OURS);
const HOT_CM: Figure = figure("hot_AES128_CM_HMAC_SHA1_80", OURS);
const IN_ORDER_CM: Figure = figure("in_order_AES128_CM_HMAC_SHA1_80", OURS);
const SHUFFLED_CM: Figure = figure("shuffled_AES128_CM_HMAC_SHA1_80", OURS);
const OURS: &str = "skywave";

#[cfg(test)]
mod tests {
    use super::*;

    /// As criterion 0.8 writes it, the rest left out.
    const ESTIMATES: &str = "{\"mean\":{\"confidence_interval\":{\"confidence_level\":0.95,\
        \"lower_bound\":90.0,\"upper_bound\":92.0},\"point_estimate\":91.5,\
        \"standard_error\":0.1},\"median\":{\"confidence_interval\":{\"confidence_level\":0.95,\
        \"lower_bound\":89.0,\"upper_bound\":91.0},\"point_estimate\":90.25,\
        \"standard_error\":0.1},\"slope\":null}";

    fn write_figures(criterion: &Path) {
        for (candidate, octets) in [("skywave", "90.25"), ("bare_ring", "60.0")] {
            let folder = criterion
                .join(HOT_GCM.group)
                .join(candidate)
                .join("160/new");
            fs::create_dir_all(&folder).unwrap();
            let estimates = ESTIMATES.replace("90.25", octets);
            fs::write(folder.join("estimates.json"), estimates).unwrap();
        }
    }

    #[test]
    fn the_median_is_taken_and_nothing_else() {
        assert_eq!(median(ESTIMATES), Some(90.25));
        assert_eq!(median("{\"mean\":{\"point_estimate\":91.5}}"), None);
    }

    #[test]
    fn figures_of_earlier_runs_are_not_compared() {
        let name = format!("skywave-xtask-{}", std::process::id());
        let criterion = std::env::temp_dir().join(name);
        let before = SystemTime::UNIX_EPOCH;
        assert!(RATIOS[0].row(&criterion, before).contains("not measured"));
        write_figures(&criterion);
        let row = RATIOS[0].row(&criterion, before);
        assert!(
            row.ends_with("bare_ring 60.0 | 1.50 | 1.15 | MISSED |"),
            "{row}"
        );
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert!(RATIOS[0].row(&criterion, later).contains("not measured"));
        fs::remove_dir_all(criterion).unwrap();
    }
}
