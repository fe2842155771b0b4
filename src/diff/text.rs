//! stub
/// x
pub enum Run<'a> {
    /// x
    Same(&'a str),
    /// x
    Removed(&'a str),
    /// x
    Added(&'a str),
}
/// x
pub fn words<'a>(left: &'a str, right: &'a str) -> Vec<Run<'a>> {
    vec![Run::Removed(left), Run::Added(right)]
}
