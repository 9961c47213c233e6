-- For BI tools: one row per deal that is not deleted, with names in place of ids.
--
-- Figures are defined as in the API (crm_graph/reports), over everybody's rows. `closed_at` is the time of the last
-- move that changed the kind of stage; open deals have none.
CREATE OR REPLACE VIEW report_deals AS
SELECT deals.id AS deal_id, deals.title, pipelines.name AS pipeline, stages.name AS stage,
       stages.key AS stage_key, deals.status, owners.name AS owner, contacts.email AS contact,
       companies.name AS company, deals.amount, deals.currency,
       round(deals.amount * stages.probability, 2) AS weighted_amount, deals.close_date, deals.source,
       deals.campaign_id, deals.lost_reason, deals.created_at, closing.closed_at
FROM deals
JOIN pipelines ON pipelines.id = deals.pipeline_id
JOIN pipeline_stages AS stages ON stages.id = deals.stage_id
LEFT JOIN owners ON owners.id = deals.owner_id
LEFT JOIN contacts ON contacts.id = deals.contact_id AND contacts.deleted_at IS NULL
LEFT JOIN companies ON companies.id = deals.company_id
LEFT JOIN LATERAL (
    SELECT max(moves.moved_at) AS closed_at
    FROM deal_stage_history AS moves
    JOIN pipeline_stages AS entered ON entered.id = moves.to_stage_id
    LEFT JOIN pipeline_stages AS departed ON departed.id = moves.from_stage_id
    WHERE moves.deal_id = deals.id AND departed.kind IS DISTINCT FROM entered.kind
) AS closing ON deals.status <> 'open'
WHERE deals.deleted_at IS NULL;

COMMENT ON VIEW report_deals IS
    'The deals that are not deleted. closed_at: when an open deal became what it is now, won or lost.';
-- Default privileges give app_user every new table and view. The server doesn't need this one.
REVOKE ALL ON report_deals FROM app_user;
GRANT SELECT ON report_deals TO readonly;
