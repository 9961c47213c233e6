-- For BI tools: how long each deal stayed in each stage, and which stage followed. Current stays have no end.
--
-- Figures are defined as in the API (crm_graph/reports), over everybody's rows.
CREATE OR REPLACE VIEW report_stage_times AS
SELECT moves.deal_id, pipelines.name AS pipeline, stages.name AS stage, stages.key AS stage_key,
       moves.moved_at AS entered_at, lead(moves.moved_at) OVER way AS left_at,
       extract(epoch FROM lead(moves.moved_at) OVER way - moves.moved_at) / 86400 AS days,
       lead(stages.name) OVER way AS next_stage, lead(stages.key) OVER way AS next_stage_key
FROM deal_stage_history AS moves
JOIN deals ON deals.id = moves.deal_id AND deals.deleted_at IS NULL
JOIN pipeline_stages AS stages ON stages.id = moves.to_stage_id
JOIN pipelines ON pipelines.id = stages.pipeline_id
WINDOW way AS (PARTITION BY moves.deal_id ORDER BY moves.moved_at);

COMMENT ON VIEW report_stage_times IS
    'How long deals stayed in stages, and where they went from there; without an end while they are there.';
-- Default privileges give app_user every new table and view. The server doesn't need this one.
REVOKE ALL ON report_stage_times FROM app_user;
GRANT SELECT ON report_stage_times TO readonly;
