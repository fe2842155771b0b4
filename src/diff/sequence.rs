//! stub
/// x
pub fn longest_increasing(order: &[u32]) -> Vec<usize> {
    (0..order.len()).collect()
}
