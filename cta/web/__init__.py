"""The Transit Status Page: a board that is fed, a page that shows it, JSON and events for whoever else wants it.

    batches ─> Scene ─> slots ─> Hub ─> a stream of changes a client
                          └────> page, JSON

A moment of the page is a flat table of *slots* (`cta.web.scene`): a name and a JSON value. What changed between two
moments is the slots that changed, so a change is small, is serialised once, and is checked by one law: the slots before
with the changes applied are the slots after. Nothing here knows where batches come from: a thread that has a broker's
consumer folds them into a `Feed`; a `History` folds them up to any moment that is asked for.
"""
