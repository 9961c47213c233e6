-- For BI tools: the e-mails that contacts wrote, the campaign they answered, and the contact's reply status.
--
-- Figures are defined as in the API (crm_graph/reports), over everybody's rows. Replies of erased contacts count.
CREATE OR REPLACE VIEW report_replies AS
SELECT activities.id AS activity_id, activities.occurred_at AS replied_at, contacts.id AS contact_id,
       contacts.email AS contact, owners.name AS owner, contacts.reply_status, activities.campaign_id,
       activities.campaign_name, activities.campaign_step AS step, activities.campaign_variant AS variant,
       activities.mailbox
FROM activities
JOIN contacts ON contacts.id = activities.contact_id
     AND (contacts.deleted_at IS NULL OR contacts.erased_at IS NOT NULL AND contacts.merged_into_id IS NULL)
LEFT JOIN owners ON owners.id = contacts.owner_id
WHERE activities.type = 'email_in';

COMMENT ON VIEW report_replies IS
    'The e-mails that contacts wrote, the campaign that they answered, and what the contact''s last reply means.';
-- Default privileges give app_user every new table and view. The server doesn't need this one.
REVOKE ALL ON report_replies FROM app_user;
GRANT SELECT ON report_replies TO readonly;
