//! The median of ratios, and how far they lie apart.

/// What a run gave, or why it gave nothing.
pub type Outcome<T> = Result<T, String>;

/// A few values, as a table shows them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&least, &greatest) = (values.first()?, values.last()?);
        let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median: (below + above) / 2.0, least, greatest })
    }

    /// Of the ratios, each of two values of the same round. A round in which one is missing has none.
    pub fn of_ratios(ours: &[Outcome<f64>], base: &[Outcome<f64>]) -> Option<Self> {
        let pairs = ours
            .iter()
            .zip(base)
            .filter_map(|(ours, base)| Some((*ours.as_ref().ok()?, *base.as_ref().ok()?)));
        Self::of(pairs.filter(|&(_, base)| base > 0.0).map(|(ours, base)| ours / base))
    }
}

/// One value out of each outcome.
pub fn each<T>(outcomes: &[Outcome<T>], value: impl Fn(&T) -> Option<f64>) -> Vec<Outcome<f64>> {
    let figure = |outcome: &Outcome<T>| {
        let known = outcome.as_ref().map_err(String::clone)?;
        value(known).ok_or_else(|| "not told".to_owned())
    };
    outcomes.iter().map(figure).collect()
}

/// How many failed, and why the first of them did; `None`: none did.
pub fn failures<T>(outcomes: &[Outcome<T>]) -> Option<String> {
    let mut failed = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    let first = failed.next()?;
    Some(format!("{} of {} failed: {first}", 1 + failed.count(), outcomes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (values, want) in [
            (&[][..], None),
            (&[3.0][..], Some((3.0, 3.0, 3.0))),
            (&[5.0, 1.0, 2.0][..], Some((2.0, 1.0, 5.0))),
            (&[4.0, 1.0, 2.0, 9.0][..], Some((3.0, 1.0, 9.0))),
        ] {
            let got = Spread::of(values.iter().copied());
            assert_eq!(got.map(|got| (got.median, got.least, got.greatest)), want, "{values:?}");
        }
    }

    #[test]
    fn a_ratio_is_of_one_round() {
        let lost = || Err("3 deliveries lost".to_owned());
        let ours = [Ok(2.0), lost(), Ok(9.0), Ok(1.0)];
        let base = [Ok(1.0), Ok(1.0), lost(), Ok(2.0)];
        let ratios = Spread::of_ratios(&ours, &base).expect("two rounds have both");
        assert_eq!(ratios, Spread { median: 1.25, least: 0.5, greatest: 2.0 });
        assert_eq!(failures(&ours).expect("one"), "1 of 4 failed: 3 deliveries lost");
        assert_eq!(failures(&ours[..1]), None);
    }
}
