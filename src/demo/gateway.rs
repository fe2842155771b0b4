//! The reply of a gateway whose upstream does not answer: an HTML page without the API's own fields.

use super::{DemoContext, timestamps};
use crate::serve::reply::ServerReply;

/// The HTML page for a status.
pub(super) fn error_page(status: u16, title: &str, seen: DemoContext) -> ServerReply {
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{title}</h1></center>\r\n<hr><center>wire-demo</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut reply = ServerReply::whole(status, Vec::new(), page)
        .with_field("Date", timestamps::http_date(seen.created_secs))
        .with_field("Content-Type", "text/html")
        .with_field("Server", "wire-demo");
    reply.close_after = true;
    reply
}
