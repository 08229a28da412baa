//! Medians, tables and the verdict.

use crate::peer::Kind;
use crate::row::{Bar, Figure, PUNCTUAL, RIVALS, Row};
use crate::run::{Missing, Outcome};
use crate::sample::Sample;
use std::collections::BTreeMap;

/// How to read the samples.
pub struct Reader<'a> {
    /// Rows, in the order of the table.
    pub rows: &'a [Row],
    /// Columns, in the order of the table.
    pub columns: &'a [(&'static str, Kind)],
    /// The columns whose bars are checked: the library's, in its several ways.
    pub judged: &'a [String],
    /// How much slower than the fastest peer still counts as no slower.
    pub tolerance: f64,
}

/// All samples of one cell, summed up.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    /// The median of the clean samples when there are three of them, else the
    /// quartile on the good side of all, since neighbours only make it worse.
    figure: f64,
    /// The best sample.
    best: f64,
    count: usize,
    clean: usize,
}

impl Cell {
    fn of(samples: &[&Sample], figure: &Figure) -> Option<Self> {
        let sorted = |samples: &mut dyn Iterator<Item = &&Sample>| {
            let mut values: Vec<f64> = samples.map(|s| s.reading.value).collect();
            values.sort_by(f64::total_cmp);
            if figure.unit.more_is_better() {
                values.reverse();
            }
            values
        };
        let all = sorted(&mut samples.iter());
        let clean = sorted(&mut samples.iter().filter(|s| s.clean));
        Some(Cell {
            figure: match clean.len() {
                0..3 => all[all.len().checked_sub(1)? / 4],
                n => (clean[(n - 1) / 2] + clean[n / 2]) / 2.0,
            },
            best: *all.first()?,
            count: all.len(),
            clean: clean.len(),
        })
    }
}

/// The cells of one figure by column.
type Line = BTreeMap<String, Cell>;

impl Reader<'_> {
    /// The whole report as Markdown.
    pub fn markdown(&self, outcome: &Outcome) -> String {
        let lines: Vec<(&Figure, Line)> = self
            .rows
            .iter()
            .flat_map(|row| row.figures())
            .map(|figure| (figure, self.line(figure, &outcome.samples)))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        let used: Vec<&str> = self
            .columns
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| lines.iter().any(|(_, line)| line.contains_key(*name)))
            .collect();
        let mut text = String::from("## Figures: median / best\n\n");
        text += &table(&used, &lines, |figure, line, name| {
            let cell = line.get(name)?;
            let (median, best) = (figure.unit.text(cell.figure), figure.unit.text(cell.best));
            Some(format!("{median} / {best}"))
        });
        text += "\n## Ratio to the fastest peer (above 1 is worse)\n\n";
        text += &table(&used, &lines, |figure, line, name| {
            let (_, fastest) = self.fastest(figure, line, |_| true)?;
            Some(match ratio(figure, line.get(name)?.figure, fastest.figure) {
                ratio if self.is_judged(name) => format!("**{ratio:.2}**"),
                ratio => format!("{ratio:.2}"),
            })
        });
        for judged in self.judged {
            if used.contains(&judged.as_str()) {
                text += &self.verdict(judged, &lines);
            }
        }
        text += &notes(outcome);
        text += &how_clean(&lines);
        text
    }

    fn is_judged(&self, name: &str) -> bool {
        self.judged.iter().any(|judged| judged == name)
    }

    fn line(&self, figure: &Figure, samples: &[Sample]) -> Line {
        let mut by_peer: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
        for sample in samples.iter().filter(|s| s.reading.figure == figure.name) {
            by_peer.entry(&sample.peer).or_default().push(sample);
        }
        by_peer
            .into_iter()
            .filter_map(|(peer, samples)| Some((peer.to_owned(), Cell::of(&samples, figure)?)))
            .collect()
    }

    /// The best of the peers that are not being judged.
    fn fastest<'l>(
        &self,
        figure: &Figure,
        line: &'l Line,
        fit: impl Fn(&str) -> bool,
    ) -> Option<(&'l str, Cell)> {
        self.columns
            .iter()
            .filter(|(name, _)| fit(name))
            .filter(|(name, kind)| *kind == Kind::Peer && !self.is_judged(name))
            .filter_map(|(name, _)| line.get_key_value(*name))
            .map(|(name, cell)| (name.as_str(), *cell))
            .min_by(|(_, a), (_, b)| ratio(figure, a.figure, b.figure).total_cmp(&1.0))
    }

    fn verdict(&self, judged: &str, lines: &[(&Figure, Line)]) -> String {
        let mut text = format!(
            "\n## Verdict on {judged}\n\n\
             | figure | {judged} | fastest peer | ratio | to raw-lt | bar | verdict |\n\
             |---|---:|---:|---:|---:|---|---|\n"
        );
        let (mut ok, mut missed) = (0, 0);
        for (figure, line) in lines {
            let Some(cell) = line.get(judged) else {
                continue;
            };
            let fastest = match figure.bar {
                Bar::FastestPunctual(late) => self.fastest(figure, line, |name| {
                    lines
                        .iter()
                        .find(|(figure, _)| figure.name == late)
                        .and_then(|(_, line)| line.get(name))
                        .is_some_and(|cell| cell.figure <= PUNCTUAL)
                }),
                Bar::Rivals | Bar::RivalsAndRaw(_) => {
                    self.fastest(figure, line, |name| RIVALS.contains(&name))
                }
                Bar::Tokio => self.fastest(figure, line, |name| name == "tokio-ct"),
                _ => self.fastest(figure, line, |_| true),
            };
            let to_raw = line.get("raw-lt").map(|raw| ratio(figure, cell.figure, raw.figure));
            let to_fastest = fastest.map(|(_, f)| ratio(figure, cell.figure, f.figure));
            let (bar, met) = match figure.bar {
                Bar::FastestPeer => (
                    "no slower than the fastest peer".to_owned(),
                    to_fastest.map(|r| r <= 1.0 + self.tolerance),
                ),
                Bar::FastestPunctual(_) => (
                    "no slower than the fastest punctual peer".to_owned(),
                    to_fastest.map(|r| r <= 1.0 + self.tolerance),
                ),
                Bar::Rivals => (
                    format!("no worse than the best of {}", RIVALS.join(", ")),
                    to_fastest.map(|r| r <= 1.0 + self.tolerance),
                ),
                Bar::RivalsAndRaw(factor) => (
                    format!(
                        "no worse than the best of {}, within {factor:.2} of raw-lt",
                        RIVALS.join(", ")
                    ),
                    to_fastest
                        .zip(to_raw)
                        .map(|(r, raw)| r <= 1.0 + self.tolerance && raw <= factor),
                ),
                Bar::Tokio => (
                    "no worse than tokio-ct".to_owned(),
                    to_fastest.map(|r| r <= 1.0 + self.tolerance),
                ),
                Bar::RawEpoll(factor) => {
                    (format!("within {factor:.2} of raw-lt"), to_raw.map(|raw| raw <= factor))
                }
                Bar::AtMost(limit) => (
                    format!("at most {} {}", figure.unit.text(limit), figure.unit.name()),
                    Some(cell.figure <= limit),
                ),
                Bar::None => ("none".to_owned(), None),
            };
            let said = match (figure.bar, met) {
                (Bar::None, _) => "",
                (_, Some(true)) => "ok",
                (_, Some(false)) => "**misses**",
                (_, None) => "nothing to compare with",
            };
            ok += usize::from(met == Some(true));
            missed += usize::from(met == Some(false));
            let fastest = fastest.map_or(String::new(), |(name, f)| {
                format!("{name} {}", figure.unit.text(f.figure))
            });
            let ratio = to_fastest.map_or(String::new(), |r| format!("{r:.2}"));
            let raw = to_raw.map_or(String::new(), |r| format!("{r:.2}"));
            let own = figure.unit.text(cell.figure);
            text += &format!(
                "| {} | {own} | {fastest} | {ratio} | {raw} | {bar} | {said} |\n",
                titled(figure)
            );
        }
        let percent = self.tolerance * 100.0;
        text += &format!(
            "\n{ok} ok, {missed} missed; \"no slower\" allows {percent:.0} % for noise.\n"
        );
        text
    }
}

/// How much worse `own` is than `other`, whichever way the figure counts.
fn ratio(figure: &Figure, own: f64, other: f64) -> f64 {
    let (own, other) = if figure.unit.more_is_better() { (other, own) } else { (own, other) };
    // A timer may cost no heap at all.
    if own == other { 1.0 } else { own / other }
}

fn titled(figure: &Figure) -> String {
    match figure.unit.name() {
        "" => figure.name.to_owned(),
        unit => format!("{} ({unit})", figure.name),
    }
}

fn table(
    columns: &[&str],
    lines: &[(&Figure, Line)],
    cell: impl Fn(&Figure, &Line, &str) -> Option<String>,
) -> String {
    let mut text = format!("| | {} |\n", columns.join(" | "));
    text += &format!("|---{}|\n", "|---:".repeat(columns.len()));
    for (figure, line) in lines {
        let cells: Vec<String> = columns
            .iter()
            .map(|name| cell(figure, line, name).unwrap_or_else(|| "–".to_owned()))
            .collect();
        text += &format!("| {} | {} |\n", titled(figure), cells.join(" | "));
    }
    text
}

/// Why cells are empty, and what some of the others are made of.
fn notes(outcome: &Outcome) -> String {
    let mut why: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for Missing { peer, row, why: w } in &outcome.missing {
        why.entry((peer, w)).or_default().push(row);
    }
    let mut text = String::new();
    if !why.is_empty() {
        text += "\n## Empty cells\n\n";
    }
    for ((peer, why), rows) in why {
        text += &format!("* {peer}: {}: {why}\n", rows.join(", "));
    }
    let mut details: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for sample in &outcome.samples {
        if let Some(detail) = &sample.reading.detail {
            details.insert((&sample.reading.figure, &sample.peer), detail);
        }
    }
    if !details.is_empty() {
        text += "\n## Details\n\n";
    }
    for ((figure, peer), detail) in details {
        text += &format!("* {figure}, {peer}: {detail}\n");
    }
    text
}

fn how_clean(lines: &[(&Figure, Line)]) -> String {
    let cells: Vec<&Cell> = lines.iter().flat_map(|(_, line)| line.values()).collect();
    let sum = |of: fn(&Cell) -> usize| cells.iter().map(|c| of(c)).sum::<usize>();
    let fewest = cells.iter().map(|c| c.clean).min().unwrap_or(0);
    format!(
        "\n{} samples, {} of them clean (nobody else used the CPUs); the poorest cell has {fewest}.\n",
        sum(|c| c.count),
        sum(|c| c.clean),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Reading;

    fn sample(peer: &str, figure: &str, value: f64) -> Sample {
        Sample {
            peer: peer.to_owned(),
            round: 1,
            clean: true,
            reading: Reading::new(figure, value),
        }
    }

    const COLUMNS: &[(&str, Kind)] = &[
        ("floor", Kind::Floor),
        ("slow", Kind::Peer),
        ("fast", Kind::Peer),
        ("tokio-ct", Kind::Peer),
        ("smol", Kind::Peer),
        ("molen", Kind::Peer),
    ];

    fn report(row: Row, samples: Vec<Sample>) -> String {
        let judged = ["molen".to_owned()];
        let reader = Reader { rows: &[row], columns: COLUMNS, judged: &judged, tolerance: 0.03 };
        reader.markdown(&Outcome { samples, missing: Vec::new() })
    }

    #[test]
    fn a_floor_is_no_peer() {
        let samples = vec![
            sample("floor", "spawn_join", 1.0),
            sample("slow", "spawn_join", 40.0),
            sample("fast", "spawn_join", 20.0),
            sample("molen", "spawn_join", 20.4),
        ];
        let text = report(Row::SpawnJoin, samples);
        assert!(
            text.contains(
                "| spawn_join (ns CPU) | 20.4 | fast 20.0 | 1.02 |  | no slower than the fastest peer | ok |"
            ),
            "{text}"
        );
        assert!(text.contains("| 0.05 | 2.00 | 1.00 | **1.02** |"), "{text}");
    }

    #[test]
    fn a_slower_row_misses() {
        let samples = vec![sample("fast", "switch_1", 17.0), sample("molen", "switch_1", 18.0)];
        let text = report(Row::Switch1, samples);
        assert!(text.contains("| 1.06 |  | no slower than the fastest peer | **misses** |"));
    }

    #[test]
    fn a_late_peer_sets_no_bar_for_firing() {
        let samples = vec![
            sample("fast", "fire_1k", 1_000.0),
            sample("fast", "fire_1k_late_mean", 1_000_000.0),
            sample("slow", "fire_1k", 9_000.0),
            sample("slow", "fire_1k_late_mean", 20_000.0),
            sample("molen", "fire_1k", 8_000.0),
            sample("molen", "fire_1k_late_mean", 120_000.0),
        ];
        let text = report(Row::Fire1k, samples);
        assert!(
            text.contains(
                "| 8000 | slow 9000 | 0.89 |  | no slower than the fastest punctual peer | ok |"
            ),
            "{text}"
        );
        assert!(
            text.contains("| 120 | slow 20.0 | 6.00 |  | at most 100 µs | **misses** |"),
            "{text}"
        );
    }

    #[test]
    fn of_rates_the_greater_is_better() {
        let samples = vec![
            sample("raw-lt", "echo_64_rate", 200_000.0),
            sample("smol", "echo_64_rate", 100_000.0),
            sample("tokio-ct", "echo_64_rate", 150_000.0),
            sample("fast", "echo_64_rate", 190_000.0),
            sample("molen", "echo_64_rate", 180_000.0),
        ];
        let text = report(Row::Echo64, samples);
        assert!(
            text.contains(
                "| 180 | tokio-ct 150 | 0.83 | 1.11 | no worse than the best of tokio-ct, smol, \
                 libuv, within 1.05 of raw-lt | **misses** |"
            ),
            "{text}"
        );
    }

    #[test]
    fn the_median_is_of_the_clean() {
        let mut samples: Vec<Sample> =
            [10.0, 11.0, 12.0].map(|v| sample("fast", "oneshot", v)).to_vec();
        let mut noisy = sample("fast", "oneshot", 9.0);
        noisy.clean = false;
        samples.push(noisy);
        let refs: Vec<&Sample> = samples.iter().collect();
        let cell = Cell::of(&refs, &Row::Oneshot.figures()[0]);
        let expected = Cell { figure: 11.0, best: 9.0, count: 4, clean: 3 };
        assert_eq!(cell, Some(expected));
    }
}
