//! What a gateway says when nobody behind it answers: a page, and none of the API's own fields.

use super::{Context, when};
use crate::serve::reply::Reply;

/// The page of a status.
pub(super) fn page(status: u16, title: &str, seen: Context) -> Reply {
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{title}</h1></center>\r\n<hr><center>wire-demo</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut reply = Reply::plain(status, Vec::new(), page)
        .with("Date", when::date(seen.created_secs))
        .with("Content-Type", "text/html")
        .with("Server", "wire-demo");
    reply.close = true;
    reply
}
