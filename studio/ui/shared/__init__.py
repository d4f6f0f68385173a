"""What every page uses: access to the facade, language, formatting, widgets, background tasks."""
