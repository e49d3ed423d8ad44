"""Who may do what, by roles of the FAB auth manager and by pipeline; and where connections are found."""
