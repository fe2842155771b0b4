//! File names of captures, and selecting a capture by what a user typed. Pure: the caller lists the folder.

use thiserror::Error;

use crate::tape::TapeOrigin;

/// The ending of every capture's file name.
pub(super) const FILE_SUFFIX: &str = ".wire";

/// The file name of a capture: `20261123-140000.123-gpt-4o-mini-7f3a.wire`.
///
/// Names sort by time, to the millisecond, since several may begin in one second. `label` is the model or the host, cut
/// after 40 characters: longer names wrap in lists. The tag is the end of the capture's id, `tag` digits long.
pub fn file_name(origin: &TapeOrigin, label: &str, tag: usize) -> String {
    let time = origin.started.strftime("%Y%m%d-%H%M%S.%3f");
    let label: String = label.chars().map(safe_char).take(40).collect();
    let label = label.trim_matches(['-', '.']);
    let dash = if label.is_empty() { "" } else { "-" };
    format!(
        "{time}-{label}{dash}{}{FILE_SUFFIX}",
        id_tag(&origin.id, tag)
    )
}

fn safe_char(char: char) -> char {
    if char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-') {
        char
    } else {
        '-'
    }
}

/// The last `length` digits of an id.
fn id_tag(id: &str, length: usize) -> &str {
    let first = id.char_indices().rev().nth(length.saturating_sub(1));
    let cut = first.map_or(0, |(place, _)| place);
    id.get(cut..).unwrap_or(id)
}

/// A user's way to name a capture in the folder: by position, name, tag or id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CaptureSelector {
    /// `@` and `@~N`: the newest capture, or the one N before it.
    FromNewest(usize),
    /// The beginning of the file name, the tag at its end, or the beginning of the id.
    Prefix(String),
}

/// The error for a name that selects no capture, or several.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
pub enum SelectorError {
    /// The text after `@` is not `~` and a number.
    #[error("`{0}` is no place in the list: write @ for the newest, @~1 for the one before")]
    BadPosition(String),
    /// The folder holds fewer captures than asked for.
    #[error("there is no capture {requested} before the newest: the folder holds {available}")]
    TooFar {
        /// How many before the newest.
        requested: usize,
        /// How many there are.
        available: usize,
    },
    /// No capture matches.
    #[error("no capture is called, or begins with, `{0}`")]
    Unknown(String),
    /// Several captures match.
    #[error("`{prefix}` may be {}", candidates.join(", "))]
    Ambiguous {
        /// What was typed.
        prefix: String,
        /// What it may mean.
        candidates: Vec<String>,
    },
}

impl CaptureSelector {
    /// Parses what the user typed: `@`, `@~N`, or a prefix.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        match text.strip_prefix('@') {
            Some("") => Ok(Self::FromNewest(0)),
            Some(rest) => {
                let number = rest
                    .strip_prefix('~')
                    .and_then(|number| number.parse().ok());
                number
                    .map(Self::FromNewest)
                    .ok_or_else(|| SelectorError::BadPosition(text.to_owned()))
            }
            None => Ok(Self::Prefix(text.to_owned())),
        }
    }
}

/// Selects from `names`, file names sorted from old to new. Names hold no ids: a prefix that matches no name may still
/// begin an id, which the caller looks up.
pub fn select_capture<'a>(
    selector: &CaptureSelector,
    names: &'a [String],
) -> Result<&'a str, SelectorError> {
    match selector {
        CaptureSelector::FromNewest(back) => {
            let place = names.len().checked_sub(back.saturating_add(1));
            let name = place.and_then(|place| names.get(place));
            name.map(String::as_str).ok_or(SelectorError::TooFar {
                requested: *back,
                available: names.len(),
            })
        }
        CaptureSelector::Prefix(prefix) => {
            let stem = prefix.strip_suffix(FILE_SUFFIX).unwrap_or(prefix);
            let fits = |name: &&String| {
                let name = name.strip_suffix(FILE_SUFFIX).unwrap_or(name);
                !stem.is_empty()
                    && (name.starts_with(stem) || name.rsplit('-').next() == Some(stem))
            };
            let found: Vec<_> = names.iter().filter(fits).collect();
            match found.as_slice() {
                [] => Err(SelectorError::Unknown(prefix.clone())),
                [one] => Ok(one),
                several => Err(SelectorError::Ambiguous {
                    prefix: prefix.clone(),
                    candidates: several.iter().map(|name| (*name).clone()).collect(),
                }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_are_safe() {
        #[track_caller]
        fn case(label: &str, expected: &str) {
            let origin = TapeOrigin {
                id: "0197f0aa-0000-7000-8000-00000000cafe".into(),
                started: "2026-11-23T14:05:09.5Z".parse().unwrap(),
                via: "send".into(),
                url: String::new(),
                tool: String::new(),
                connection: None,
            };
            assert_eq!(file_name(&origin, label, 4), expected);
        }
        case("gpt-4o-mini", "20261123-140509.500-gpt-4o-mini-cafe.wire");
        case("../x/y z", "20261123-140509.500-x-y-z-cafe.wire");
        case("", "20261123-140509.500-cafe.wire");
    }

    #[test]
    fn a_capture_is_found_by_position_name_tag_or_id() {
        let names: Vec<_> = ["2026-a-1111.wire", "2026-b-2222.wire", "2027-c-3333.wire"]
            .map(str::to_owned)
            .to_vec();
        let case = |text: &str| {
            let selector = CaptureSelector::parse(text)?;
            select_capture(&selector, &names).map(str::to_owned)
        };
        assert_eq!(case("@").unwrap(), "2027-c-3333.wire");
        assert_eq!(case("@~1").unwrap(), "2026-b-2222.wire");
        assert_eq!(case("1111").unwrap(), "2026-a-1111.wire");
        assert_eq!(case("2027").unwrap(), "2027-c-3333.wire");
        assert_eq!(case("2026-b-2222.wire").unwrap(), "2026-b-2222.wire");
        assert_eq!(
            case("@~3"),
            Err(SelectorError::TooFar {
                requested: 3,
                available: 3
            })
        );
        assert!(matches!(case("2026"), Err(SelectorError::Ambiguous { .. })));
        assert_eq!(case("zzz"), Err(SelectorError::Unknown("zzz".into())));
        assert_eq!(case("@x"), Err(SelectorError::BadPosition("@x".into())));
    }
}
