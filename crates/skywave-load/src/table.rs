//! The report as text.

use std::fmt::{self, Display, Formatter};

use crate::figures::Arrivals;
use crate::histogram::Percentiles;
use crate::join_log::Joins;
use crate::process::{CpuUse, Size};
use crate::report::{Audience, Churn, Findings, Report, Storm};
use crate::window::{ServerUse, Window};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, "endpoint", &self.url)?;
        size(f, "server before", self.server_before)?;
        match &self.findings {
            Findings::Steady(audiences) => {
                for audience in audiences {
                    writeln!(f)?;
                    write_audience(f, audience)?;
                }
            }
            Findings::Churn(churn) => write_churn(f, churn)?,
            Findings::Storm(storm) => write_storm(f, storm)?,
        }
        size(f, "server after", self.server_after)
    }
}

fn write_audience(f: &mut Formatter<'_>, audience: &Audience) -> fmt::Result {
    line(f, "listeners", &audience.listeners)?;
    write_joins(f, &audience.joins)?;
    write_window(f, &audience.window)?;
    if let Some(kib) = audience.rss_per_listener_kib {
        line(f, "server RSS a listener", &format!("{kib:.1} KiB"))?;
    }
    let verdict = if audience.held { "held" } else { "NOT HELD" };
    line(f, "verdict", &verdict)?;
    write_remarks(f, &audience.remarks)
}

fn write_churn(f: &mut Formatter<'_>, churn: &Churn) -> fmt::Result {
    let Churn { at_a_time, .. } = churn;
    write_joins(f, &churn.joins)?;
    let text = format!("{at_a_time} at a time, {:.1} s in all", churn.seconds);
    line(f, "waves", &text)?;
    if churn.refused_farewells > 0 {
        line(f, "farewells refused", &churn.refused_farewells)?;
    }
    size(
        f,
        &format!("server after {}", churn.early_after),
        churn.early,
    )?;
    size(
        f,
        &format!("server after {}", churn.joins.asked),
        churn.late,
    )?;
    write_own_cpu(f, &churn.own_cpu)?;
    write_remarks(f, &churn.remarks)
}

fn write_storm(f: &mut Formatter<'_>, storm: &Storm) -> fmt::Result {
    line(f, "joins a second", &format!("{:.0} asked for", storm.rate))?;
    write_joins(f, &storm.joins)?;
    line(f, "refused as full (503)", &storm.refused_as_full)?;
    for (title, window) in [("before", &storm.before), ("meanwhile", &storm.during)] {
        if let Some(window) = window {
            line(f, &format!("audience {title}"), &window.listeners)?;
            write_packets(f, window)?;
            write_arrivals(f, &window.arrivals)?;
        }
    }
    line(f, "those who came and went", &"")?;
    write_arrivals(f, &storm.passing)?;
    if let Some(cpu) = &storm.server_cpu {
        write_cpu(f, "server CPU", cpu)?;
    }
    write_own_cpu(f, &storm.own_cpu)?;
    write_remarks(f, &storm.remarks)
}

fn write_joins(f: &mut Formatter<'_>, joins: &Joins) -> fmt::Result {
    let (connected, asked) = (joins.connected, joins.asked);
    let text = format!("{connected} of {asked}, {:.0} a second", joins.per_second);
    line(f, "connected", &text)?;
    for (protection, count) in &joins.protections {
        line(f, "protected", &format!("{count} x {protection}"))?;
    }
    for (reason, count) in &joins.failures {
        line(f, "failed", &format!("{count} x {reason}"))?;
    }
    for (label, times) in [
        ("  offer to first packet", &joins.total),
        ("  of it HTTP", &joins.http),
        ("  of it ICE", &joins.ice),
        ("  of it DTLS", &joins.dtls),
        ("  of it first packet", &joins.media),
        ("  before, waited for HTTP", &joins.waited),
    ] {
        percentiles(f, label, times)?;
    }
    Ok(())
}

fn write_window(f: &mut Formatter<'_>, window: &Window) -> fmt::Result {
    write_packets(f, window)?;
    write_arrivals(f, &window.arrivals)?;
    if let Some(server) = &window.server {
        write_server(f, server)?;
    }
    write_own_cpu(f, &window.own_cpu)
}

fn write_packets(f: &mut Formatter<'_>, window: &Window) -> fmt::Result {
    let reception = &window.reception;
    let (seconds, rate) = (window.seconds, window.rate);
    let title = format!("packets in {seconds:.1} s");
    line(f, &title, &format!("{} received", reception.received))?;
    line(
        f,
        "  expected",
        &format!(
            "{} by their numbers, {:.0} by the time ({rate:.1} a second)",
            reception.expected, window.expected_by_time
        ),
    )?;
    line(f, "  missing", &format!("{:.4} %", window.loss * 100.0))?;
    let order = format!(
        "{} jumps, {} late, {} twice",
        reception.gaps, reception.reordered, reception.duplicates
    );
    line(f, "  order", &order)?;
    let proof = format!(
        "{} genuine, {} not",
        reception.authenticated, reception.unauthentic
    );
    line(f, "  authenticated", &proof)
}

fn write_arrivals(f: &mut Formatter<'_>, arrivals: &Arrivals) -> fmt::Result {
    percentiles(f, "  gaps", &arrivals.gaps)?;
    percentiles(f, "  lateness", &arrivals.lateness)
}

fn write_server(f: &mut Formatter<'_>, server: &ServerUse) -> fmt::Result {
    write_cpu(f, "server CPU", &server.cpu)?;
    let packet = format!(
        "{:.2} us (user {:.2}, kernel {:.2})",
        server.micros_per_packet, server.user_micros_per_packet, server.kernel_micros_per_packet
    );
    line(f, "  a packet", &packet)?;
    size(f, "  size", Some(server.size))
}

fn write_cpu(f: &mut Formatter<'_>, label: &str, cpu: &CpuUse) -> fmt::Result {
    let (user, kernel) = (cpu.user_percent, cpu.kernel_percent);
    let total = format!(
        "{:.1} % (user {user:.1}, kernel {kernel:.1}), waited {:.1} % for a core",
        cpu.percent, cpu.waiting_percent
    );
    line(f, label, &total)?;
    for (name, percent) in cpu.threads.iter().filter(|(_, percent)| **percent >= 0.05) {
        line(f, &format!("  {name}"), &format!("{percent:.1} %"))?;
    }
    Ok(())
}

fn write_own_cpu(f: &mut Formatter<'_>, cpu: &CpuUse) -> fmt::Result {
    let (percent, waited) = (cpu.percent, cpu.waiting_percent);
    let text = format!("{percent:.1} %, waited {waited:.1} % for a core");
    line(f, "own CPU", &text)
}

fn write_remarks(f: &mut Formatter<'_>, remarks: &[String]) -> fmt::Result {
    remarks.iter().try_for_each(|remark| line(f, "", remark))
}

fn size(f: &mut Formatter<'_>, label: &str, size: Option<Size>) -> fmt::Result {
    let Some(size) = size else {
        return Ok(());
    };
    let (threads, descriptors) = (size.threads, size.descriptors);
    let mib = size.rss_kib as f64 / 1024.0;
    let text = format!("{mib:.1} MiB, {threads} threads, {descriptors} descriptors");
    line(f, label, &text)
}

fn percentiles(f: &mut Formatter<'_>, label: &str, times: &Percentiles) -> fmt::Result {
    let Percentiles {
        p50,
        p99,
        p999,
        max,
        ..
    } = times;
    let text = format!("p50 {p50:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2} ms");
    line(f, label, &text)
}

fn line(f: &mut Formatter<'_>, label: &str, value: &dyn Display) -> fmt::Result {
    writeln!(f, "{label:<26}{value}")
}
