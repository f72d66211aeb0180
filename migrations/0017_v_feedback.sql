-- breaking: no
-- undo: DROP VIEW v_feedback
CREATE VIEW IF NOT EXISTS v_feedback
(
    model_name String COMMENT 'Name of the model',
    environment String COMMENT 'Where the model serves',
    request_id String COMMENT 'The request the feedback is about',
    observed_at DateTime64(3, 'UTC') COMMENT 'When it was observed',
    model_version String COMMENT 'Version the feedback names; empty when it names none',
    quality_metric String COMMENT 'Name of the quality score',
    quality_score Nullable(Float64) COMMENT 'Quality of the answer, 0 to 1',
    label String COMMENT 'What the right answer was, or what was said of the answer',
    annotator_kind String COMMENT 'Who or what observed it: HUMAN, LLM or CODE',
    known_at DateTime64(3, 'UTC') COMMENT 'Event time from which it counts as known: observed_at, or how far its partition had come when it arrived, if that is later',
    answered_by String COMMENT 'Version that answered the request first; empty when it named only a variant or is not stored',
    occurred_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Start of the request; empty when it is not stored',
    delay_s Nullable(Float64) COMMENT 'Seconds from the start of the request until the feedback counts as known'
)
AS SELECT
    feedback.model_name AS model_name,
    feedback.environment AS environment,
    feedback.request_id AS request_id,
    feedback.observed_at AS observed_at,
    feedback.model_version AS model_version,
    feedback.quality_metric AS quality_metric,
    feedback.quality_score_e6 / 1e6 AS quality_score,
    feedback.label AS label,
    feedback.annotator_kind AS annotator_kind,
    greatest(feedback.observed_at, feedback.arrival_watermark) AS known_at,
    request.answered_by AS answered_by,
    if(request.requests = 0, NULL, request.first_at) AS occurred_at,
    if(request.requests = 0, NULL, (toUnixTimestamp64Milli(greatest(feedback.observed_at, feedback.arrival_watermark)) - toUnixTimestamp64Milli(request.first_at)) / 1000) AS delay_s
FROM feedback_events AS feedback
LEFT JOIN
(
    SELECT
        request_events.model_name AS model_name,
        request_events.environment AS environment,
        request_events.request_id AS request_id,
        min(request_events.occurred_at) AS first_at,
        argMin(toString(request_events.model_version), request_events.occurred_at) AS answered_by,
        count() AS requests
    FROM request_events
    WHERE request_events.traffic = 'live' AND request_events.request_id IN (SELECT feedback_events.request_id FROM feedback_events)
    GROUP BY request_events.model_name, request_events.environment, request_events.request_id
) AS request ON request.model_name = feedback.model_name AND request.environment = feedback.environment AND request.request_id = feedback.request_id
COMMENT 'Feedback beside the request it is about'
