"""What people add to any record: comments, attachments, saved views; what they are told of, and its past."""
